"""A city's arrests and volunteers' answers: fitted on the first eight years, looked at on the rest.

Both files behave like generated data: no season, six-hour blocks that differ by a factor of eight, one law of
delay for both answers. So this shows that the machinery reads, fits and draws, and supports no claim about
arrests or volunteers. Ours are draws of what was fitted, as long as the rest, its interval what one such draw
lies in: chance, and how well the fit can be known.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.stats import t

from simulations.planning.arrivals import Field
from simulations.planning.draws import Draws
from simulations.planning.hours import HOUR_MS, YEAR_HOURS
from simulations.planning.records import WEEK_HOURS, Floats
from simulations.planning.region import region_of
from simulations.planning.sections import RegionKeys
from simulations.planning.sites import Anywhere
from simulations.validation import data
from simulations.validation.check import LEVEL, Check
from simulations.validation.line import Line, Noted, Skipped
from simulations.validation.world import SEED, STARTS_AT

DRAWN = 200
FITTED_HOURS = round(8 * YEAR_HOURS)
MONTH_HOURS = YEAR_HOURS / 12
FITTED_SHARE = 0.7
"""Of the answers, which have no dates: about eight years of eleven."""

Figures = Mapping[str, Callable[[Floats], float]]
"""By name, a figure of calls' times (hours) or of delays (s, NaN: no answer)."""


def checks(*, drawn: int = DRAWN) -> Sequence[Line]:
    found: list[Line] = []
    for name, check in (("arrests", _arrests), ("ambulance", _ambulance), ("answers", _answers)):
        try:
            found += check(drawn)
        except data.Absent as absent:
            found.append(Skipped(f"data files, {name}", str(absent)))
    return found


# --- when arrests come: a rate for each hour of the week is fitted


def _arrests(drawn: int) -> list[Line]:
    at_h, _ = data.arrests()
    early, late = at_h[at_h < FITTED_HOURS], at_h[at_h >= FITTED_HOURS]
    until_h = int(at_h[-1])
    found = _judged("arrests after the eighth year", CALLS, late, _calls(early, until_h, drawn), "calls")
    blocks = np.bincount((at_h % 24 // 6).astype(np.int64))
    times, spread = float(blocks.max() / blocks.min()), CALLS[DAILY](at_h)
    n = len(at_h)
    return [
        *found,
        Noted(
            Check("arrests, most to fewest of six-hour blocks", 2.0, times, times, times, n, "calls"), FIELD
        ),
        Noted(Check(f"arrests, {DAILY}", 4.4, spread, spread, spread, n, "calls"), FIELD),
    ]


def _calls(early: Floats, until_h: int, drawn: int) -> list[Floats]:
    """The planners' own source at the fitted rates, from the end of the fitted hours on."""
    counts = np.bincount(early.astype(np.int64) % WEEK_HOURS, minlength=WEEK_HOURS)
    exposed = np.bincount(np.arange(FITTED_HOURS) % WEEK_HOURS, minlength=WEEK_HOURS)
    hours = np.arange(FITTED_HOURS, until_h) % WEEK_HOURS
    anywhere = region_of(RegionKeys(bbox=(0.0, 0.0, 0.1, 0.1)), "", data.USUAL)
    drawings = []
    for nth in range(drawn):
        chance = np.random.Generator(np.random.Philox(key=SEED, counter=nth))
        rates = chance.gamma(counts) / exposed  # what the counts leave open
        alarms = Field(Anywhere(rates, anywhere), STARTS_AT, hours).alarms(Draws(SEED, nth))
        drawings.append(FITTED_HOURS + (alarms.answered_at - STARTS_AT) / HOUR_MS)
    return drawings


def _daily(at_h: Floats) -> Floats:
    days = (at_h // 24).astype(np.int64)
    return np.bincount(days - days[0]).astype(np.float64)


def _months(at_h: Floats) -> float:
    """Most to fewest a day in the twelve parts of the year; 3 h either way are nothing."""
    begun = np.arange(int(at_h[0]), int(at_h[-1]))
    counts = np.bincount((at_h % YEAR_HOURS // MONTH_HOURS).astype(np.int64), minlength=12)
    rates = counts / np.bincount((begun % YEAR_HOURS // MONTH_HOURS).astype(np.int64), minlength=12)
    return float(rates.max() / rates.min())


DAILY = "daily counts, variance over mean"
FIELD = "theirs is the field's, ours the file's, which behaves like generated data"
CALLS: Figures = {
    "calls": lambda at_h: float(len(at_h)),
    "share from 8 to 20 h": lambda at_h: float(np.mean((at_h % 24 >= 8) & (at_h % 24 < 20))),
    "share on the sixth and seventh day": lambda at_h: float(np.mean(at_h % WEEK_HOURS >= 120)),
    "most to fewest of the year's twelfths": _months,
    DAILY: lambda at_h: float(_daily(at_h).var() / _daily(at_h).mean()),
    "share of gaps under an hour": lambda at_h: float(np.mean(np.diff(at_h) < 1.0)),
}


# --- how long the ambulance takes, and volunteers to answer: a sample is drawn from


def _ambulance(drawn: int) -> list[Line]:
    at_h, drive_min = data.arrests()
    known = ~np.isnan(drive_min)
    early, late = (drive_min[known & part] for part in (at_h < FITTED_HOURS, at_h >= FITTED_HOURS))
    name = f"ambulance after the eighth year, {np.sum(~known)} left out of all"
    return _judged(name, DRIVES, late, _samples(early, len(late), drawn), "drives")


def _answers(drawn: int) -> list[Line]:
    responses = data.responses()
    early, late = np.split(responses, [round(FITTED_SHARE * len(responses))])
    found: list[Line] = []
    samples = _samples(early[:, 0], len(late), drawn)
    found += _judged("answers, last 30 %", ANSWERS, late[:, 0], samples, "alerts")
    delays = early[early[:, 0] == 1, 1]
    for answer in (1, 2):
        of_it = late[late[:, 0] == answer, 1]
        name = f"delay of answer {answer}, last 30 %, by those of answer 1"
        found += _judged(name, DELAYS, of_it, _samples(delays, len(of_it), drawn), "answers")
    return found


def _samples(early: Floats, count: int, drawn: int) -> list[Floats]:
    """As often as wanted ``count`` of them, from a sample that is itself drawn anew."""
    chance = np.random.Generator(np.random.Philox(key=SEED))
    return [chance.choice(chance.choice(early, len(early)), count) for _ in range(drawn)]


DRIVES: Figures = {
    "5th percentile, min": lambda minutes: float(np.percentile(minutes, 5)),
    "median, min": lambda minutes: float(np.median(minutes)),
    "95th percentile, min": lambda minutes: float(np.percentile(minutes, 95)),
}
ANSWERS: Figures = {
    "share of silence": lambda answers: float(np.mean(answers == 0)),
    "share of answer 1": lambda answers: float(np.mean(answers == 1)),
}
DELAYS: Figures = {
    "median, s": lambda delays_s: float(np.median(delays_s)),
    "95th percentile, s": lambda delays_s: float(np.percentile(delays_s, 95)),
    "share over 60 s": lambda delays_s: float(np.mean(delays_s > 60)),
}


def _judged(name: str, figures: Figures, late: Floats, drawings: Sequence[Floats], of: str) -> list[Line]:
    return [
        _foreseen(f"{name}, {figure}", value(late), [value(one) for one in drawings], len(late), of)
        for figure, value in figures.items()
    ]


def _foreseen(name: str, theirs: float, drawn: Sequence[float], n: int, of: str) -> Check:
    """The interval that one more draw lies in."""
    values = np.array(drawn)
    count, ours = len(values), float(values.mean())
    half = float(t.ppf((1 + LEVEL) / 2, count - 1) * values.std(ddof=1) * np.sqrt(1 + 1 / count))
    return Check(name, theirs, ours, ours - half, ours + half, n, of)
