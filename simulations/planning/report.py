"""The report of a run: one HTML file that opens offline, draws with matplotlib and fetches nothing."""

import math
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from dispatch.core import policy
from simulations.planning import assumptions, charts, spread, tally
from simulations.planning.comparison import FIRST_LOOK, Comparison, compare, estimate
from simulations.planning.intervals import Interval
from simulations.planning.measures import MAIN, MEASURES, Measure
from simulations.planning.page import (
    Html,
    code,
    figure,
    items,
    number,
    page,
    paragraph,
    section,
    table,
    text,
)
from simulations.planning.results import EXCLUDED, PERCENTS, summed
from simulations.planning.runs import Results
from simulations.planning.scenario import Scenario
from simulations.planning.tally import Tally

UNITS = {"s": "s", "share": "%", "alarm": "per alarm", "year": "per medic and year"}
NEVER = "never"
BY_NAME = {measure.name: measure for measure in MEASURES}

LEFT_OUT = (
    "How wrong the inputs may be: vary those that you know least, and see whether the answer stays.",
    "AEDs, seasons and bad days, streets, an ambulance service that runs out, medics who tire of alerts.",
    "Lives: survival functions disagree. Only differences between policies are worth a look.",
)


def write(scenario: Scenario, results: Results, path: Path) -> None:
    """Of at least one replication. Raises OSError."""
    path.write_text(html(scenario, results), "utf-8")


def html(scenario: Scenario, results: Results) -> str:
    """The same for the same results, to the byte."""
    sums = summed(results)
    some = bool(sums[0].first_medic.any())
    return page(
        scenario.title,
        _opening(scenario, results),
        section("Measures", *_measures(results)),
        section("Differences between policies", *_differences(results)),
        *(_drawn(scenario, results, sums) if some else [paragraph("There was no alarm to draw.", "warning")]),
        section("Assumptions", *_assumptions(scenario)),
        section("Doing it again", *_again(scenario, results)),
    )


# --- what it says first


def _opening(scenario: Scenario, results: Results) -> Html:
    done = len(results.rows)
    ended = {
        "all": "all that were asked for",
        "enough": f"of at most {scenario.replications}: the differences were known well enough",
        "stopped": f"of {scenario.replications}: it was stopped",
    }[results.ended]
    facts = paragraph(
        f"{scenario.medic_count:,} medics, about {scenario.source.expected:,.0f} alarms in each replication "
        f"of {scenario.years:.2f} years; {done} replications, {ended}. "
        f"Policies: {', '.join(results.policies)}."
    )
    parts = [facts, items(sentences(results)) if len(results.policies) > 1 else Html("")]
    if done < FIRST_LOOK:
        few = f"{done} replications are few: from {FIRST_LOOK} on an interval holds what it says."
        parts.append(paragraph(few, "warning"))
    parts += [paragraph(note, "warning") for note in scenario.notes]
    return Html("\n".join(parts))


def sentences(results: Results) -> Iterator[str]:
    """Of each policy but the first: what it gains and what it asks, in words."""
    for one in compare(results.rows, results.level):
        if one.measure in (MAIN, "alerts"):
            words = BY_NAME[one.measure].words.partition(":")[0].lower()
            yield f"{_names(results, one)}, {words}: {told(results, one)}"


def told(results: Results, one: Comparison) -> str:
    """A difference and what its interval includes."""
    measure, found = BY_NAME[one.measure], one.difference
    first = f"{_signed(measure, found.mean)} {_unit(measure, True)}"
    if found.low is None or found.high is None:
        return f"{first}; one replication has no interval."
    between = (
        f"{first} ({_percent(results.level)} interval {_signed(measure, found.low)} to "
        f"{_signed(measure, found.high)})"
    )
    if found.low == found.high == 0:
        return "the same in every replication."
    if found.low <= 0 <= found.high:
        return f"{between}. It includes 0: so many replications do not tell the two apart."
    better = (found.mean > 0) == (measure.better == "more")
    return f"{between}. It does not include 0: {'better' if better else 'worse'}, beyond chance."


# --- tables


def _measures(results: Results) -> Iterator[Html]:
    rows = []
    for measure in MEASURES:
        cells = [_estimate(results, column, measure) for column in range(len(results.policies))]
        rows.append([text(measure.words), text(_unit(measure)), *cells])
    yield table(
        f"Means over replications, with {_percent(results.level)} intervals",
        ("Measure", "Unit", *results.policies),
        rows,
    )
    yield paragraph(
        f"The {EXCLUDED}. Times run from the call being answered, over all alarms, arrests or not; survival "
        "runs from the collapse, over true arrests, those that nobody recognised too. A percentile is never "
        "where too many alarms have no medic at all."
    )


def _estimate(results: Results, column: int, measure: Measure) -> Html:
    found = estimate(results.rows, column, measure.name, results.level)
    if found is None:
        return text("nothing to count")
    return Html(f"{_number(measure, found.mean)} {_bounds(measure, found)}".strip())


def _bounds(measure: Measure, found: Interval) -> Html:
    if found.low is None or found.high is None:
        return Html("")
    return Html(f"({_number(measure, found.low)} to {_number(measure, found.high)})")


def _differences(results: Results) -> Iterator[Html]:
    if len(results.policies) == 1:
        yield paragraph("There is one policy: name two to compare them.")
        return
    found = compare(results.rows, results.level)
    yield table(
        "Paired differences: each policy less the first, on the same calls, ambulances and medics",
        ("Measure", "Policies", "Unit", "Difference", "What it says", "Variance, paired to unpaired"),
        [
            (
                text(BY_NAME[one.measure].words),
                text(_names(results, one)),
                text(_unit(BY_NAME[one.measure], True)),
                _difference(one),
                text(_reading(one)),
                text("-" if one.variance_ratio is None else f"{one.variance_ratio:.3f}"),
            )
            for one in found
        ],
    )
    infinite = {measure.name for measure in MEASURES} - {one.measure for one in found}
    if infinite:
        names = "; ".join(measure.words for measure in MEASURES if measure.name in infinite)
        yield paragraph(f"Without a difference, as they are never, or nothing, in some replication: {names}.")
    chance = 1 - results.level
    yield paragraph(
        f"Of differences that are none, about one in {1 / chance:.0f} stands out by chance alone: the more "
        "lines one reads, the more of those. Seconds gained is the main measure. A variance of 0.1 means "
        "that as much would be known unpaired only from ten times as many replications."
    )


def _difference(one: Comparison) -> Html:
    measure, found = BY_NAME[one.measure], one.difference
    mean = number(found.mean, _signed(measure, found.mean))
    if found.low is None or found.high is None:
        return mean
    low, high = (number(bound, _signed(measure, bound)) for bound in (found.low, found.high))
    return Html(f"{mean} ({low} to {high})")


def _reading(one: Comparison) -> str:
    low, high = one.difference.low, one.difference.high
    if low is None or high is None:
        return "one replication has no interval"
    if low == high == 0:
        return "the same in every replication"
    if low <= 0 <= high:
        return "includes 0: not told apart"
    return "more" if low > 0 else "fewer or less"


# --- drawings


def _drawn(scenario: Scenario, results: Results, sums: list[Tally]) -> Iterator[Html]:
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
            cells = [number(value, NEVER if math.isinf(value) else f"{value:.0f}") for value in values]
            rows.append([text(f"{policy_name}: {words}"), *cells, number(share, f"{100 * share:.1f} %")])
    head = ("Seconds", *(f"{percent} %" for percent in PERCENTS), "Never")
    yield table("Percentiles over all alarms; never: nor within an hour", head, rows)


GROUPED = (
    "Alarms", "Seconds gained", "Medic within 6 min, %", "Reached within 6 min, %", "Alerts per alarm",
    "No medic came, %",
)  # fmt: skip


def _hours(results: Results, sums: list[Tally]) -> Iterator[Html]:
    yield figure(
        charts.by_hour(results.policies, sums),
        "By the local hour in which the call was answered, all replications together.",
        "Three panels by hour of the day: seconds gained, a medic within 6 minutes, alerts per alarm; the "
        "table below has the figures.",
    )
    yield table(
        "By hour of the day", ("Hour and policy", *GROUPED), _grouped(results, sums, "by_hour", "{:02}:00")
    )


def _kinds(results: Results, sums: list[Tally]) -> Html:
    return table("By kind of call", ("Kind and policy", *GROUPED), _grouped(results, sums, "by_kind", "{}"))


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
                text(f"{form.format(key)} {policy_name}"),
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
    cells = len(sums[0].by_cell.keys)
    yield figure(
        charts.coverage(results.policies, [one.by_cell for one in sums]),
        f"H3 cells of resolution 8, some 0.7 km2 each, {cells:,} of them with an alarm. Grey: fewer than "
        f"{charts.FEW} alarms in all replications, too few for a share.",
        "Maps of the region by hexagonal cell, one a policy, coloured by the share of alarms with a medic "
        "within 6 minutes; the file of cells beside this report has the figures.",
    )


# --- what it stands on


def _assumptions(scenario: Scenario) -> Iterator[Html]:
    yield table(
        "What is taken for given",
        ("Key of the scenario", "Value", "Source"),
        [(text(one.key), text(one.value), text(one.source)) for one in assumptions.of(scenario.keys)],
    )
    yield Html("<h3>What the model leaves out</h3>")
    yield items(LEFT_OUT)


def _again(scenario: Scenario, results: Results) -> Iterator[Html]:
    yield code(
        f"dispatch simulate {shlex.quote(scenario.file)} --seed {scenario.seed} "
        f"--replications {scenario.replications}"
    )
    versions = {"python": ".".join(map(str, sys.version_info[:3])), **spread.versions()}
    yield table(
        "The same seed, digest and versions give the same results",
        ("What", "Value"),
        [
            (text("Seed"), text(scenario.seed)),
            (text("Digest of the scenario and all its files"), text(scenario.digest)),
            (text("Replications done"), text(len(results.rows))),
            *((text(name), text(version)) for name, version in versions.items()),
        ],
    )
    yield table(
        "Policies compared",
        ("Policy and kind", "Wanted", "Waves", "Digest"),
        [
            (
                text(f"{name}: {kind}"),
                text(several[kind].wanted),
                text(", ".join(f"{wave.alerts} at {wave.after_s} s" for wave in several[kind].waves)),
                text(policy.digest(several[kind])),
            )
            for name, several in scenario.policies.items()
            for kind in scenario.kinds
        ],
    )


# --- figures as people read them


def _names(results: Results, one: Comparison) -> str:
    return f"{results.policies[one.policy]} less {results.policies[one.baseline]}"


def _unit(measure: Measure, difference: bool = False) -> str:
    return "percentage points" if difference and measure.unit == "share" else UNITS[measure.unit]


def _number(measure: Measure, value: float) -> Html:
    if math.isinf(value):
        return number(value, NEVER)
    return number(value, _shown(measure, value))


def _shown(measure: Measure, value: float) -> str:
    if measure.unit == "share":
        return f"{100 * value:.2f}"
    return f"{value:.1f}" if measure.unit == "s" else f"{value:.2f}"


def _signed(measure: Measure, value: float) -> str:
    shown = _shown(measure, value)
    return shown if value < 0 or float(shown) == 0 else f"+{shown}"


def _percent(level: float) -> str:
    return f"{100 * level:.4g} %"
