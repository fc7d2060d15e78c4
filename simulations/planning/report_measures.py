"""The report's tables: what was measured under each policy, and how policies differ."""

from collections.abc import Iterator, Sequence

from simulations.planning import words
from simulations.planning.comparison import (
    FEW_DIFFER,
    Comparison,
    alarms_alike,
    compare,
    estimate,
    few_differ,
    with_inputs,
)
from simulations.planning.intervals import Interval
from simulations.planning.measures import MEASURES, Measure
from simulations.planning.page import Html, items, number, paragraph, table, text
from simulations.planning.results import has_inputs
from simulations.planning.runs import Results
from simulations.planning.words import BY_NAME


def measures(results: Results) -> Iterator[Html]:
    rows = []
    for measure in MEASURES:
        cells = [_estimate(results, column, measure) for column in range(len(results.policies))]
        rows.append([text(measure.words), text(words.unit(measure)), *cells])
    several = len(results.rows) > 1
    yield table(
        f"Means over replications, with {words.level(results.level)} intervals"
        if several
        else "What one replication had",
        ("Measure", "Unit", *results.policies),
        rows,
    )
    yield paragraph(excluded(results))
    yield paragraph(
        "Times run from the call being answered, over all alarms, arrests or not; survival runs from the "
        "collapse, over true arrests, those that nobody recognised too. A percentile is never where, in one "
        "replication or more, too many alarms have no medic at all."
    )
    if several:
        yield paragraph(
            "A share or count that few events make has more room above than below (Fay and Feuer's gamma "
            "interval); all others have Student's t."
        )
    if any(alike(results, column, one) for column in range(len(results.policies)) for one in MEASURES):
        yield paragraph(
            "Where none of the alarms counts, or every one does, there is no interval. At most and at least "
            f"are what so many alarms may hide ({words.level(results.level)}), had they nothing to do with "
            "each other."
        )


def excluded(results: Results) -> str:
    """What the intervals hold, and what not."""
    if len(results.rows) == 1:
        return "One replication has no intervals: they are of chance between several."
    first = f"The intervals are of chance between {words.counted(len(results.rows), 'replication')}"
    if not has_inputs(results):
        return f"{first}; how wrong the inputs may be is not in them."
    return (
        f"{first}. Beside the differences, those called with the samples also hold what the samples in the "
        f"files could have been: {len(results.redrawn)} replications more were made, the samples drawn anew "
        "in each. How wrong rates, grid, behaviour and times may be is in neither."
    )


def differences(results: Results) -> Iterator[Html]:
    if len(results.policies) == 1:
        yield paragraph("There is one policy: name two to compare them.")
        return
    found = compare(results.rows, results.level)
    if not found:
        yield paragraph("There was nothing to count.")
        return
    wide = ("With the samples",) if has_inputs(results) else ()
    which, column = pairs(results)
    yield table(
        f"Paired differences: {which}, on the same calls, ambulances and medics",
        ("Measure", *column, "Unit", "Difference", *wide, "What it says", "Variance ratio"),
        [_row(results, one) for one in found],
    )
    infinite = {measure.name for measure in MEASURES} - {one.measure for one in found}
    if infinite:
        names = "; ".join(measure.words for measure in MEASURES if measure.name in infinite)
        yield paragraph(f"Without a difference, as they are never, or nothing, in some replication: {names}.")
    yield paragraph(
        f"Of differences that are none, about one in {1 / (1 - results.level):.0f} stands out by chance "
        "alone: the more lines one reads, the more of those. Seconds gained is the main measure."
    )
    if few := [one for one in found if few_differ(results.rows, one)]:
        yield paragraph(
            "The following differences rest on few cases: the truth may lie further from 0 than their "
            "intervals say, and more replications help. Few means fewer than "
            f"{FEW_DIFFER} cases in which the two policies differ, over all replications; of seconds and "
            f"survival, fewer than {FEW_DIFFER} replications in which they do, and fewer than half of them."
        )
        yield items(_by_pair(results, few))
    yield paragraph(
        "Variance ratio: of the paired difference to an unpaired one. At 0.1, ten times as many replications "
        "would be needed to know as much unpaired."
    )


def _row(results: Results, one: Comparison) -> Sequence[Html]:
    return (
        text(BY_NAME[one.measure].words),
        *([text(names(results, one))] if len(results.policies) > 2 else []),
        text(words.unit(BY_NAME[one.measure], True)),
        figures(BY_NAME[one.measure], one.difference, signed=True),
        *([_with_samples(results, one)] if has_inputs(results) else []),
        text(_reading(one)),
        text("-" if one.variance_ratio is None else f"{one.variance_ratio:.3f}"),
    )


def _by_pair(results: Results, several: Sequence[Comparison]) -> Iterator[str]:
    """Of each two policies their measures."""
    for pair in dict.fromkeys(names(results, one) for one in several):
        of_pair = [BY_NAME[one.measure].words for one in several if names(results, one) == pair]
        yield f"{pair}: {'; '.join(of_pair)}."


def pairs(results: Results) -> tuple[str, tuple[str, ...]]:
    """Which policies differences are of; the head of a column that says so where they are several."""
    if len(results.policies) == 2:
        return f"{results.policies[1]} less {results.policies[0]}", ()
    return "each policy less the first", ("Policies",)


def names(results: Results, one: Comparison) -> str:
    return f"{results.policies[one.policy]} less {results.policies[one.baseline]}"


def figures(measure: Measure, found: Interval, *, signed: bool = False) -> Html:
    """A mean and its interval, where it has one."""
    return _figures(measure, found.mean, found.low, found.high, signed=signed)


def _figures(
    measure: Measure, mean: float, low: float | None, high: float | None, *, signed: bool = False
) -> Html:
    first, *bounds = words.shown(measure, (mean, low, high), signed)
    if low is None or high is None or low == high:
        return number(mean, first)
    between = f"({number(low, bounds[0])} to {number(high, bounds[1])})"
    return Html(f'<span class="figures">{number(mean, first)} {between}</span>')


def _with_samples(results: Results, one: Comparison) -> Html:
    measure, found = BY_NAME[one.measure], with_inputs(one, results.redrawn, results.level)
    if found is None:
        return text("never, or nothing, in some")
    _, low, high = words.shown(measure, (found.mean, found.low, found.high), True)
    assert found.low is not None
    assert found.high is not None
    return Html(f'<span class="figures">{number(found.low, low)} to {number(found.high, high)}</span>')


def _estimate(results: Results, column: int, measure: Measure) -> Html:
    found = estimate(results.rows, column, measure.name, results.level)
    if found is None:
        return text("nothing to count")
    mean, low, high = found.mean, *words.possible(measure, found)
    beside = alike(results, column, measure)
    return Html(f"{_figures(measure, mean, low, high)}{text(f' ({beside})' if beside else '')}")


def alike(results: Results, column: int, measure: Measure) -> str:
    """In words, where none of the alarms counted or all did."""
    alarms, found = alarms_alike(results.rows, column, measure), estimate(results.rows, column, measure.name)
    return words.alike(measure, found.mean, alarms, results.level) if alarms and found is not None else ""


def _reading(one: Comparison) -> str:
    low, high = one.difference.low, one.difference.high
    if low is None or high is None:
        return "one replication has no interval"
    if low == high == 0:
        return "the same in every replication"
    if low <= 0 <= high:
        return "includes 0: not told apart"
    is_more = low > 0
    is_better = is_more == (BY_NAME[one.measure].better == "more")
    return f"{'more' if is_more else 'less'}: {'better' if is_better else 'worse'}"
