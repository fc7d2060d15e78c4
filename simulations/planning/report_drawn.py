"""The report's drawings and what they draw: who comes when, by hour, by kind and by place."""

from collections.abc import Iterator

from simulations.planning import charts, tally
from simulations.planning.page import Html, figure, number, paragraph, section, table, text
from simulations.planning.results import PERCENTS
from simulations.planning.runs import Results
from simulations.planning.scenario import Scenario
from simulations.planning.tally import Tally
from simulations.planning.words import counted, fixed


def drawn(scenario: Scenario, results: Results, sums: list[Tally]) -> Iterator[Html]:
    yield section("Who comes when", *_distributions(results, sums))
    yield section("By hour of the day", *_hours(results, sums))
    yield section("By kind", _kinds(results, sums))
    yield section("Coverage by place", *_coverage(scenario, results, sums))


def _distributions(results: Results, sums: list[Tally]) -> Iterator[Html]:
    names = ", ".join(results.policies)
    yield figure(
        charts.arrivals(results.policies, sums),
        "Share of alarms in which the first medic, or the ambulance, is at the patient. A curve that ends "
        "below 100 % leaves the alarms to which none came in this time, or ever.",
        f"Cumulative curves of arrival times for the ambulance and the first medic under {names}; the table "
        "below has their percentiles.",
    )
    yield figure(
        charts.gained(results.policies, sums),
        "Share of alarms in which the first medic is there at least so long before the ambulance.",
        f"Falling curves of the time gained under {names}; the table below has percentiles.",
    )
    rows = []
    for policy_name, one in zip(results.policies, sums, strict=True):
        for words, counts in (
            ("first medic", one.first_medic),
            ("ambulance", one.ambulance),
            ("seconds gained", one.gained),
        ):
            values = (tally.quantile_s(counts, percent) for percent in PERCENTS)
            share = int(counts[-1]) / int(counts.sum())
            cells = [
                number(value, fixed(value, 0) + " or more" * (value == tally.COUNTED_S)) for value in values
            ]
            rows.append([text(policy_name), text(words), *cells, number(share, f"{100 * share:.1f} %")])
    head = ("Policy", "What", *(f"{percent} %" for percent in PERCENTS), "Never")
    yield table(
        "Percentiles over the alarms of all replications together, in seconds; never: no medic ever came",
        head,
        rows,
    )


GROUPED = (
    "Alarms", "Seconds gained", "Medic within 6 min, %", "Reached within 6 min, %", "Alerts per alarm",
    "No medic came, %",
)  # fmt: skip


def _hours(results: Results, sums: list[Tally]) -> Iterator[Html]:
    if max(sums[0].by_hour.column("alarms")) >= charts.FEW:
        yield _hours_drawn(results, sums)
    yield table(
        "By hour of the day", ("Hour", "Policy", *GROUPED), _grouped(results, sums, "by_hour", "{:02}:00")
    )


def _hours_drawn(results: Results, sums: list[Tally]) -> Html:
    return figure(
        charts.by_hour(results.policies, sums),
        "By the local hour in which the call was answered, all replications together. An hour with fewer "
        f"than {charts.FEW} alarms has no point; one with few of them jumps by chance.",
        "Three panels by hour of the day: seconds gained, a medic within 6 minutes, alerts per alarm; the "
        "table below has the figures.",
    )


def _kinds(results: Results, sums: list[Tally]) -> Html:
    return table("By kind of call", ("Kind", "Policy", *GROUPED), _grouped(results, sums, "by_kind", "{}"))


def _grouped(results: Results, sums: list[Tally], name: str, form: str) -> Iterator[list[Html]]:
    for row, key in enumerate(getattr(sums[0], name).keys.tolist()):
        for policy_name, one in zip(results.policies, sums, strict=True):
            group = getattr(one, name)
            counts = {
                column: int(group.column(column)[row])
                for column in ("gained_ms", "medic_6_min", "reached_6_min", "alerts", "nobody_came")
            }
            alarms = int(group.column("alarms")[row])
            yield [
                text(form.format(key)),
                text(policy_name),
                text(f"{alarms:,}"),
                text(f"{counts['gained_ms'] / 1000 / alarms:.1f}"),
                text(f"{100 * counts['medic_6_min'] / alarms:.1f}"),
                text(f"{100 * counts['reached_6_min'] / alarms:.1f}"),
                text(f"{counts['alerts'] / alarms:.2f}"),
                text(f"{100 * counts['nobody_came'] / alarms:.1f}"),
            ]


def _coverage(scenario: Scenario, results: Results, sums: list[Tally]) -> Iterator[Html]:
    if scenario.grid is None:
        yield paragraph(
            "No map: the scenario has no grid of where people are (grid.csv), and without one a cell's "
            "coverage would be of places that nobody chose."
        )
        return
    cells, enough = len(sums[0].by_cell.keys), int(charts.with_enough(sums[0].by_cell).sum())
    if not enough:
        yield paragraph(
            f"No map: of {counted(cells, 'cell')} with an alarm none has {charts.FEW} of them in all "
            "replications, and fewer say too little. Give it more weeks or replications."
        )
        return
    yield figure(
        charts.coverage(results.policies, [one.by_cell for one in sums]),
        f"H3 cells of resolution 8, some 0.7 km2 each. Of {cells:,} with an alarm {enough:,} have "
        f"{charts.FEW} or more in all replications; the others, grey, have too few for a share. The "
        "brighter, the more often a medic was there within 6 minutes.",
        "Maps of the region by hexagonal cell, one a policy, coloured by the share of alarms with a medic "
        "within 6 minutes; the file of cells beside this report has the figures.",
    )
