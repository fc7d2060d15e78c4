"""Whether a run's files can be written: looked at before an hour's work, not after it."""

from pathlib import Path

from simulations.planning.errors import ScenarioError
from simulations.planning.results import csv_paths
from simulations.planning.scenario import Scenario


def check(scenario: Scenario, report: Path) -> None:
    """Raises `ScenarioError`, also where a file that was read would be written over. Leaves all as it was."""
    try:
        _check(scenario, report)
    except OSError as error:
        reason = f"can not be written ({error.strerror or error})"
        raise ScenarioError(str(error.filename or report), "", reason) from None


def _check(scenario: Scenario, report: Path) -> None:
    if report.is_dir():
        raise ScenarioError(str(report), "", "is a folder: give -o the name of a file in it")
    if not report.parent.is_dir():
        raise ScenarioError(str(report), "", "there is no such folder to write to")
    written = [report, *csv_paths(scenario, report)]
    if len(set(written)) < len(written):
        raise ScenarioError(str(report), "", "is where the CSV beside the report goes: name it .html")
    for path in written:
        if any(path.exists() and path.samefile(read) for read in scenario.inputs):
            reason = f"would be written over, and the scenario reads it: give -o another name than {report}"
            raise ScenarioError(str(path), "", reason)
    for path in written:
        _open(path)


def _open(path: Path) -> None:
    """As for writing: permissions alone do not foretell it, to root least of all."""
    was_there = path.exists()
    if was_there and not (path.is_file() or path.is_dir()):
        return  # a device, or a pipe, whose reader would take this for the end
    with path.open("ab"):
        pass
    if not was_there:
        (path.resolve() if path.is_symlink() else path).unlink()  # the link itself was there
