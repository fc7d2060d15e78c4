"""The report's section on what medics' answers have in common: the incident's effect, on and off."""

from collections.abc import Iterator, Sequence

from simulations.planning import words
from simulations.planning.comparison import FIRST_LOOK, Rows, compared, estimate
from simulations.planning.incident_effect import SHOWN, OnAndOff, on_and_off
from simulations.planning.page import Html, items, number, paragraph, table, text
from simulations.planning.report_measures import figures, pairs
from simulations.planning.runs import Results
from simulations.planning.scenario import Scenario
from simulations.planning.words import BY_NAME


def incident_effect(scenario: Scenario, results: Results) -> Iterator[Html]:
    both = on_and_off(scenario, results)
    if both is None:
        yield paragraph("It was not looked at: no replication was made with it switched.")
        return
    yield paragraph(_about(both))
    rows = [row for measure in SHOWN for row in _rows(results, both, measure)]
    if not rows:
        yield paragraph("There was nothing to count.")
        return
    yield items(_sentences(results, both))
    yield table(
        f"Off and on, with {words.level(results.level)} intervals of the difference",
        ("Measure", "Policy", "Unit", "Off", "On", "On less off"),
        rows,
    )
    if len(results.policies) > 1:
        which, column = pairs(results)
        yield table(
            f"Does the answer stay? Differences, {which}, with the effect off and on",
            ("Measure", *column, "Unit", "Off", "On"),
            [row for measure in SHOWN for row in _between(results, both, measure)],
        )


def _about(both: OnAndOff) -> str:
    alike = (
        "A late hour or a bad address can make all whom one incident asks less willing together. Where each "
        "decides for herself alone, it looks rarer than it is that nobody comes."
    )
    on = f"the effect on (sd {both.sd:g} of the log odds of accepting: an assumption until data exist)"
    here, there = (on, "the effect off") if both.is_on else ("the effect off", on)
    n = len(both.on)
    again = "the first replication was" if n == 1 else f"the first {n} replications were"
    are_few = "One is too few" if n == 1 else "They are few"
    few = "" if n >= FIRST_LOOK else f" {are_few}: from {FIRST_LOOK} on an interval holds what it says."
    return (
        f"{alike} All else in this report has {here}; {again} made again with {there} and nothing else "
        "changed, neither calls nor medics nor ambulances, nor how often each accepts on average over "
        f"incidents.{few}"
    )


def _sentences(results: Results, both: OnAndOff) -> Iterator[str]:
    for column, policy in enumerate(results.policies):
        off, on = (estimate(rows, column, "nobody_came") for rows in (both.off, both.on))
        if off is not None and on is not None:
            yield (
                f"{policy}: no medic came in {100 * off.mean:.2f} % of alarms with the effect off, "
                f"{100 * on.mean:.2f} % with it on{_times(both, column, off.mean, on.mean, results.level)}."
            )


def _times(both: OnAndOff, column: int, off: float, on: float, level: float) -> str:
    """How many times as often, where that is beyond chance."""
    found = both.difference(column, "nobody_came", level)
    if off == on or found is None or found.difference.low is None or found.difference.high is None:
        return ""
    if found.difference.low <= 0 <= found.difference.high:
        return "; so many alarms do not tell the two apart"
    return f", {on / off:.2g} times as often" if off else ""


def _rows(results: Results, both: OnAndOff, name: str) -> Iterator[Sequence[Html]]:
    measure = BY_NAME[name]
    for column, policy in enumerate(results.policies):
        found = both.difference(column, name, results.level)
        if found is not None:
            yield (
                text(measure.words),
                text(policy),
                text(words.unit(measure)),
                _mean(both.off, column, name),
                _mean(both.on, column, name),
                figures(measure, found.difference, signed=True),
            )


def _mean(rows: Rows, column: int, name: str) -> Html:
    found, measure = estimate(rows, column, name), BY_NAME[name]
    assert found is not None  # it has a difference
    return number(found.mean, words.shown(measure, (found.mean,))[0])


def _between(results: Results, both: OnAndOff, name: str) -> Iterator[Sequence[Html]]:
    measure, several = BY_NAME[name], len(results.policies) > 2
    for column in range(1, len(results.policies)):
        found = [compared(rows, column, name, results.level) for rows in (both.off, both.on)]
        yield (
            text(measure.words),
            *([text(f"{results.policies[column]} less {results.policies[0]}")] if several else []),
            text(words.unit(measure, True)),
            *(
                text("nothing to count") if one is None else figures(measure, one.difference, signed=True)
                for one in found
            ),
        )
