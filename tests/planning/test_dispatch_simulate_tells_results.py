"""The command: results to stdout, all else to stderr, and an exit code that says how it went."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulations.planning import command, report, runs
from simulations.planning.scenario import Scenario
from tests.planning.scenarios import AREA, MEDICS, cells_around, written

SMALL = f"weeks = 1\nreplications = 3\n{AREA}{MEDICS}[incidents]\nper_year = 300\n"
FEW = "[cardiac_arrest]\nwanted = 1\nwaves = [{ after_s = 0, alerts = 2 }]\n"

PEOPLE = "h3,population\n" + "".join(
    f"{one},9\n" for one in cells_around(53.35, -6.25, resolution=8, rings=0)
)


def simulate(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dispatch", "simulate", *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_json_to_stdout_and_the_same_bytes_again(tmp_path: Path) -> None:
    written(tmp_path, SMALL, few_toml=FEW)
    words = ("scenario.toml", "--policy", "few.toml", "--json", "--jobs", "1")
    done = simulate(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {one["policy"] for one in told["measures"]} == {"shipped", "few"}
    assert told["replications"] == {"asked": 3, "done": 3, "ended": "all"}
    alerts = {one["policy"]: one["mean"] for one in told["measures"] if one["measure"] == "alerts"}
    assert alerts["few"] < alerts["shipped"]
    assert "NaN" not in done.stdout
    assert "scenario: 500 medics, about 6 alarms in each of 3 replications, 2 policies, seed 1" in done.stderr
    assert simulate(tmp_path, *words).stdout == done.stdout


def test_a_table_and_files_beside_the_report(tmp_path: Path) -> None:
    written(tmp_path, SMALL)
    done = simulate(tmp_path, "scenario.toml", "-o", "out.html", "--replications", "2", "--seed", "5")
    assert done.returncode == 0, done.stderr
    header, *rows = (line.split("\t") for line in done.stdout.splitlines())
    assert header == ["measure", "policy", "mean", "low", "high"]
    assert all(len(row) == 5 for row in rows)
    lows = {name: float(low) for name, _, _, low, _ in rows if low != "-"}
    assert min(lows.values()) == lows["medic_first"] == 0.0  # no share of fewer than none, whatever t says
    assert "2 replications, 1 policy, seed 5" in done.stderr
    assert (tmp_path / "out.csv").read_text().startswith("replication,policy,measure,value\n0,shipped,")


def test_what_no_replication_differs_in_has_no_interval_on_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From 0 to 0 would say that it is certain that nobody ever comes."""
    text = f"weeks = 1\nreplications = 3\n{AREA}{MEDICS}available = 0.0\n[incidents]\nper_year = 300\n"
    assert command.simulate(command.Options(written(tmp_path, text))) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert ["medic_first", "shipped", "0", "-", "-"] in rows
    assert ["nobody_came", "shipped", "1", "-", "-"] in rows


def test_the_shipped_example_runs_from_any_folder(tmp_path: Path) -> None:
    done = simulate(tmp_path, "examples/dublin.toml", "--replications", "1", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert "twenty_at_once - shipped" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere.toml"], "nowhere.toml: there is no such file; shipped are examples/dublin.toml"),
        (["scenario.toml"], "scenario.toml: medics.cuont: unknown key; did you mean 'medics.count'?"),
        (["scenario.toml", "--replications", "0"], "0 is not in the range x>=1"),
        (["scenario.toml", "--policy", "nowhere.toml"], "'nowhere.toml' does not exist"),
        (["examples/dublin.toml", "-o", "no/report.html"], "no/report.html: there is no such folder"),
    ],
)
def test_wrong_use_is_exit_2_and_no_result(tmp_path: Path, words: list[str], told: str) -> None:
    written(tmp_path, SMALL.replace("count", "cuont"))
    done = simulate(tmp_path, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("calls.html", "calls.csv: would be written over, and the scenario reads it"),
        ("scenario.toml", "scenario.toml: would be written over, and the scenario reads it"),
        ("few.toml", "few.toml: would be written over, and the scenario reads it"),
        ("report.csv", "report.csv: is where the CSV beside the report goes"),
    ],
)
def test_nothing_that_was_read_is_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str, told: str
) -> None:
    text = f"replications = 1\n{AREA}{MEDICS}[incidents]\ncsv = 'calls.csv'\nclock = 'UTC'\n"
    csv = "lat,lon,time,kind\n53.35,-6.25,2025-07-01 12:00,choking\n"
    path = written(tmp_path, text, calls_csv=csv, few_toml=FEW)
    before = {one: one.read_bytes() for one in tmp_path.iterdir()}
    options = command.Options(path, report=tmp_path / output, policies=(tmp_path / "few.toml",))
    assert command.simulate(options) == 2
    assert told in capsys.readouterr().err
    assert {one: one.read_bytes() for one in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("taken.html", "taken.html: is a folder: give -o the name of a file in it"),
        (".", ": is a folder: give -o the name of a file in it"),
        ("no/out.html", "no/out.html: there is no such folder to write to"),
        ("scenario.toml/out.html", "scenario.toml/out.html: there is no such folder to write to"),
        ("values.html", "values.csv: can not be written (Is a directory)"),
        ("cells.html", "cells.cells.csv: can not be written (Is a directory)"),
        ("astray.html", "astray.html: can not be written (No such file or directory)"),
        (f"{'x' * 300}.html", ".html: can not be written (File name too long)"),
        ("x" * 253, ".csv: can not be written (File name too long)"),
    ],
)
def test_files_that_can_not_be_written_are_told_before_the_work(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    output: str,
    told: str,
) -> None:
    """Root may write whatever the permissions say: these stop root too."""
    path = written(tmp_path, SMALL + "[grid]\ncsv = 'people.csv'\n", people_csv=PEOPLE)
    for folder in ("taken.html", "values.csv", "cells.cells.csv"):
        (tmp_path / folder).mkdir()
    (tmp_path / "astray.html").symlink_to(tmp_path / "gone" / "astray.html")
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(command, "run", lambda *_, **__: pytest.fail("it was worked out all the same"))
    assert command.simulate(command.Options(path, report=tmp_path / output)) == 2
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert (out, line.startswith("dispatch simulate: "), line.endswith(told)) == ("", True, True), err
    assert sorted(tmp_path.iterdir()) == before


@contextmanager
def as_nobody() -> Iterator[None]:
    """Permissions count, also where the tests are root's."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("output", "folder_mode", "told"),
    [
        ("kept.html", 0o777, "kept.html: can not be written (Permission denied)"),
        ("values.html", 0o777, "values.csv: can not be written (Permission denied)"),
        ("new.html", 0o555, "new.html: can not be written (Permission denied)"),
    ],
)
def test_nor_are_files_begun_that_permissions_forbid(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    output: str,
    folder_mode: int,
    told: str,
) -> None:
    written(tmp_path, SMALL, kept_html="", values_csv="")
    for kept in ("kept.html", "values.csv"):
        (tmp_path / kept).chmod(0o444)
    before = sorted(tmp_path.iterdir())
    tmp_path.chmod(folder_mode)
    monkeypatch.chdir(tmp_path)  # paths from here: what is above it is root's alone
    monkeypatch.setattr(command, "run", lambda *_, **__: pytest.fail("it was worked out all the same"))
    with as_nobody():
        assert command.simulate(command.Options(Path("scenario.toml"), report=Path(output))) == 2
    assert capsys.readouterr() == ("", f"dispatch simulate: {told}\n")
    assert sorted(tmp_path.iterdir()) == before


def test_a_report_that_is_there_is_as_it_was_until_the_new_one_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    path = written(tmp_path, SMALL, out_html="yesterday's")
    monkeypatch.setattr(command, "run", stopped)
    assert command.simulate(command.Options(path, report=tmp_path / "out.html")) == 1
    assert (tmp_path / "out.html").read_text() == "yesterday's"
    assert not (tmp_path / "out.csv").exists()


def test_without_stdout_no_work_is_begun(tmp_path: Path) -> None:
    written(tmp_path, SMALL)
    closed = f"exec {sys.executable} -m dispatch simulate scenario.toml >&-"
    done = subprocess.run(["sh", "-c", closed], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    told = "dispatch simulate: stdout: is closed, and the results go there\n"
    assert (done.returncode, done.stderr) == (2, told)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "out.html and what goes beside it: No space left"),
        (KeyboardInterrupt(), "stopped: "),
    ],
)
def test_results_are_told_although_the_report_could_not_be_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    told: str,
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(report, "write", fails)
    path = written(tmp_path, SMALL)
    assert command.simulate(command.Options(path, report=tmp_path / "out.html", as_json=True)) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["replications"]["done"] == 3
    assert told in err
    assert "no replication is done" not in err


def test_bad_rows_are_listed_on_stderr_and_left_out_by_the_flag(tmp_path: Path) -> None:
    text = f"replications = 1\n{AREA}{MEDICS}[incidents]\ncsv = 'calls.csv'\nclock = 'UTC'\n"
    csv = "lat,lon,time,kind\n53.35,-6.25,2025-07-01 12:00,choking\n53.35,east,2025-07-01 12:00,choking\n"
    written(tmp_path, text, calls_csv=csv)
    refused = simulate(tmp_path, "scenario.toml")
    assert (refused.returncode, refused.stdout) == (2, "")
    first, listed = refused.stderr.splitlines()
    assert first.startswith(
        "dispatch simulate: calls.csv: 1 of 2 rows can not be used (line 3: lon is no number"
    )
    assert listed == "  line 3: lon is no number: 'east'"
    skipped = simulate(tmp_path, "scenario.toml", "--skip-bad-rows")
    assert skipped.returncode == 0, skipped.stderr
    assert "calls.csv: 1 of 2 rows left out" in skipped.stderr


def test_ctrl_c_keeps_what_is_done_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted_at(last: int) -> Callable[..., runs.Results]:
        def run(scenario: Scenario, _: object, **options: object) -> runs.Results:
            def on_done(done: int) -> None:
                if done == last:
                    raise KeyboardInterrupt

            return runs.run(scenario, on_done)

        return run

    path = written(tmp_path, SMALL)
    monkeypatch.setattr(command, "run", interrupted_at(2))
    assert command.simulate(command.Options(path, as_json=True)) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["replications"] == {"asked": 3, "done": 2, "ended": "stopped"}
    assert "stopped: 2 of 3 replications are done" in err


def test_a_cluster_that_is_not_there_is_exit_1(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    written(tmp_path, SMALL)
    done = simulate(tmp_path, "scenario.toml", "--dask", "tcp://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (1, "")
    assert "dispatch simulate: " in done.stderr
    assert "Traceback" not in done.stderr
