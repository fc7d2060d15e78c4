"""What the report says first: what was run, and the answer in words."""

from collections.abc import Iterator

from simulations.planning import words
from simulations.planning.comparison import FIRST_LOOK, Comparison, compare, estimate
from simulations.planning.measures import MAIN
from simulations.planning.page import Html, items, joined, paragraph
from simulations.planning.report_measures import alike, names
from simulations.planning.results import summed
from simulations.planning.runs import Results
from simulations.planning.scenario import Scenario
from simulations.planning.tally import Tally
from simulations.planning.words import BY_NAME

OVERDUE_MANY = 0.25
"""The share of those who came above which the report says that too many were taken for overdue."""
IN_SHORT = (MAIN, "medic_6_min", "nobody_came", "alerts")


def opening(scenario: Scenario, results: Results) -> Html:
    done = words.counted(len(results.rows), "replication")
    return joined(
        (
            paragraph(
                f"{words.counted(scenario.medic_count, 'medic')}, about "
                f"{words.counted(scenario.source.expected, 'alarm')} in each replication of "
                f"{words.lasting(scenario.years)}; {done}, {_ended(scenario, results)}. "
                f"Policies: {', '.join(results.policies)}."
            ),
            items(sentences(results)),
            *(paragraph(warning, "warning") for warning in _warnings(scenario, results)),
        )
    )


def _ended(scenario: Scenario, results: Results) -> str:
    if len(results.rows) == scenario.replications:
        return "all that were asked for"
    if results.stopped:
        return f"of {scenario.replications}: it was stopped"
    known = "the differences were" if len(results.policies) > 1 else "the seconds gained were"
    return f"of at most {scenario.replications}: {known} known well enough"


def _warnings(scenario: Scenario, results: Results) -> Iterator[str]:
    done = len(results.rows)
    if done < FIRST_LOOK:
        few = "One replication is too few" if done == 1 else f"{done} replications are few"
        yield f"{few}: from {FIRST_LOOK} on an interval holds what it says."
    if len(results.redrawn) < scenario.keys.bootstrap:
        yield (
            f"It was stopped when {len(results.redrawn)} of {scenario.keys.bootstrap} replications with "
            "samples drawn anew were made."
        )
    sums = summed(results)
    if not sums[0].by_kind.column("alarms").any():
        yield "There was no alarm in any replication, and so no answer: give it more weeks or calls."
    for policy, one in zip(results.policies, sums, strict=True):
        if one.by_kind.column("alarms").any() and not one.by_kind.column("alerts").any():
            yield f"{policy}: {_why_nobody(one)}"
    yield from _called_overdue(results)
    yield from scenario.notes


def _why_nobody(one: Tally) -> str:
    if not one.by_kind.column("nobody_found").any():
        return (
            "nobody was ever asked, or looked for: the ambulance was at the kerb before each alarm was "
            "reported. Is it so fast, or answered_to_alert_s so long?"
        )
    return (
        "nobody was ever found to be asked. Is anybody available, within reach_s of a call, and of the "
        "skills that the policy asks for?"
    )


def _called_overdue(results: Results) -> Iterator[str]:
    """Who is taken for overdue is replaced, and those stood down are asked again: burden without a gain."""
    for column, policy in enumerate(results.policies):
        overdue, came = (estimate(results.rows, column, name) for name in ("overdue_came", "arrivals"))
        if overdue is not None and came is not None and overdue.mean > OVERDUE_MANY * came.mean:
            yield (
                f"{policy}: {100 * overdue.mean / came.mean:.0f} % of the medics who came to the patient had "
                f"been taken for overdue before, and others asked{_again(results, column)}. Its "
                "overdue_s_min and overdue_factor are short for how medics travel here."
            )


def _again(results: Results, column: int) -> str:
    """What it asks of those who had been stood down. A policy with asks_max 1 asks nobody again."""
    found, measure = estimate(results.rows, column, "again_overdue"), BY_NAME["again_overdue"]
    if found is None or not found.mean:
        return ""
    return f", with {words.shown(measure, (found.mean,))[0]} alerts an alarm to medics who had one before"


def sentences(results: Results) -> Iterator[str]:
    """Of each policy but the first what it gains and what it asks; of one alone, what it does."""
    if len(results.policies) == 1:
        yield from _alone(results)
    for one in compare(results.rows, results.level):
        if one.measure in IN_SHORT:
            yield f"{names(results, one)}, {_short(one.measure)}: {told(results, one)}"


def _alone(results: Results) -> Iterator[str]:
    for name in IN_SHORT:
        found, measure = estimate(results.rows, 0, name, results.level), BY_NAME[name]
        if found is not None:
            mean, low, high = words.shown(measure, (found.mean, *words.possible(measure, found)))
            between = f"{words.level(results.level)} interval {low} to {high}" if low != high else ""
            beside = alike(results, 0, measure) or between
            unit = words.unit(measure) + (f" ({beside})" if beside else "")
            yield f"{results.policies[0]}, {_short(name)}: {mean} {unit}."


def _short(measure: str) -> str:
    first = BY_NAME[measure].words.partition(":")[0]
    return first[:1].lower() + first[1:]


def told(results: Results, one: Comparison) -> str:
    """A difference and what its interval includes."""
    measure, found = BY_NAME[one.measure], one.difference
    mean, low, high = words.shown(measure, (found.mean, found.low, found.high), True)
    first = f"{mean} {words.unit(measure, True)}"
    if found.low is None or found.high is None:
        return f"{first}; one replication has no interval."
    if found.low == found.high == 0:
        return "the same in every replication."
    between = f"{first} ({words.level(results.level)} interval {low} to {high})"
    if found.low <= 0 <= found.high:
        return f"{between}. It includes 0: so many replications do not tell the two apart."
    better = (found.mean > 0) == (measure.better == "more")
    return f"{between}. It does not include 0: {'better' if better else 'worse'}, beyond chance."
