"""The report of a run: one HTML file that opens offline, draws with matplotlib and fetches nothing."""

from pathlib import Path

from simulations.planning.page import page, paragraph, section
from simulations.planning.report_drawn import drawn
from simulations.planning.report_effect import incident_effect
from simulations.planning.report_inputs import again, assumed
from simulations.planning.report_measures import differences, measures
from simulations.planning.report_opening import opening
from simulations.planning.results import summed
from simulations.planning.runs import Results
from simulations.planning.scenario import Scenario


def write(scenario: Scenario, results: Results, path: Path) -> None:
    """Of at least one replication. Raises OSError."""
    path.write_text(html(scenario, results), "utf-8")


def html(scenario: Scenario, results: Results) -> str:
    """The same for the same results, to the byte."""
    sums = summed(results)
    some = bool(sums[0].first_medic.any())
    return page(
        scenario.title,
        opening(scenario, results),
        section("Measures", *measures(results)),
        section("Differences between policies", *differences(results)),
        section(
            "When medics decide alike: the incident's effect, off and on", *incident_effect(scenario, results)
        ),
        *(drawn(scenario, results, sums) if some else [paragraph("There was no alarm to draw.", "warning")]),
        section("Assumptions", *assumed(scenario)),
        section("Doing it again", *again(scenario, results)),
    )
