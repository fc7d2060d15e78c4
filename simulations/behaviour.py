"""How a simulated medic acts on an alert: pure, and the same for every simulation.

Every draw is a function of (seed, purpose, incident, medic, nth), never "the next number" of a generator.
Two policies that ask different medics in a different order therefore see the same night: whoever both of
them ask does the same thing in both. Nothing here knows a clock, a network or the service.

Where the shares come from:

- seen 75.6 %, accepted 37.7 %, arrived 27.1 % of those alerted: Haskins et al., Resuscitation 2021
  (n = 1,985), so accepted if seen 0.50 and arrived if accepted 0.72.
- an accept taken back: more than 20 % abort after accepting (Munich, Resuscitation Plus 2026); the other
  8 % of the accepts, which never arrive either, go silent here.
- the delay of an answer: median 40 s; a lognormal with sigma 0.48 fits the quartiles (30 s, 57 s) and the
  95th percentile (89 s) of 6,769 delays of alerted volunteers (a university course's data).
- the speed: median 2.3 m/s, quartiles 1.4 and 4.0 over all modes (Jonsson et al., Resuscitation 2020),
  which a lognormal with sigma 0.78 fits. Getting ready is inside that figure.

Assumptions without a source, to be varied: of those who see an alert and do not accept, 4 in 5 decline
and the rest say nothing; between 50 % and 90 % of the time until an answer passes before the alert is
noticed; a helper stays 10 to 30 minutes.
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from math import exp
from statistics import NormalDist
from typing import Literal

Answer = Literal["accept", "decline"]
After = Literal["arrives", "withdraws", "goes_silent"]

_NORMAL = NormalDist()


def draw(seed: int, purpose: str, incident: str, medic: str, nth: int) -> float:
    """A uniform number in (0, 1), a function of its key alone.

    The key's parts are length-prefixed, so that no two different keys are the same bytes. 52 bits are
    taken: the middle of each of the 2**52 intervals is a float exactly, and 0.0 and 1.0 cannot occur.
    """
    key = "".join(f"{len(part)}:{part}" for part in (str(seed), purpose, incident, medic, str(nth)))
    bits = int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) >> 12
    return (bits + 0.5) * 2.0**-52


def lognormal(uniform: float, median: float, sigma: float) -> float:
    """The lognormal's inverse distribution function: `median * exp(sigma * z)`."""
    return median * exp(sigma * _NORMAL.inv_cdf(uniform))


@dataclass(frozen=True, slots=True)
class Habits:
    """What a population of medics is like. Shares are in 0..1, times in seconds of real life."""

    seen: float = 0.756
    accepts_if_seen: float = 0.50
    declines_if_not_accepting: float = 0.80
    arrives_if_accepted: float = 0.72
    withdraws_if_accepted: float = 0.20
    answer_s_median: float = 40.0
    answer_sigma: float = 0.48
    noticing_share: tuple[float, float] = (0.5, 0.9)
    travel_sigma: float = 0.78
    on_scene_s: tuple[float, float] = (600.0, 1800.0)


def after_accepting(uniform: float, arrives: float, withdraws: float) -> After:
    """What becomes of an accept, by the shares of those who arrive and of those who take it back."""
    if uniform < arrives:
        return "arrives"
    return "withdraws" if uniform < arrives + withdraws else "goes_silent"


def between(bounds: tuple[float, float], uniform: float) -> float:
    """Evenly from the one to the other."""
    low, high = bounds
    return low + (high - low) * uniform


@dataclass(frozen=True, slots=True)
class Plan:
    """What one medic will do with one alert. Seconds count from its reaching the device."""

    notice_s: float | None
    """When it is seen; None: never."""
    answer: Answer | None
    answer_s: float | None
    """When she answers, never before she has seen it; None: she does not."""
    after: After | None
    """What becomes of an accept; None without one."""
    travel_factor: float
    """Her travel time as a multiple of the usual one; median 1 at pace 1."""
    gives_up_share: float
    """How far along the way she is when she withdraws or goes silent, in 0..1."""
    on_scene_s: float
    """How long she stays after arriving."""

    @property
    def arrives(self) -> bool:
        return self.after == "arrives"

    def travel_s(self, usual_travel_s: float) -> float:
        """Seconds on the way, from what is usual: an alert's `eta_s`, or a distance at 2.3 m/s."""
        return usual_travel_s * self.travel_factor

    def finishes_s(self, usual_travel_s: float) -> float | None:
        """When she says finished; None unless she arrives."""
        if self.answer_s is None or not self.arrives:
            return None
        return self.answer_s + self.travel_s(usual_travel_s) + self.on_scene_s


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Plans by key. `pace` shortens every delay alike: at 10, a medic who would need 40 s answers after 4."""

    seed: int
    pace: float = 1.0
    habits: Habits = field(default_factory=Habits)

    def plan(self, incident: str, medic: str, nth: int = 0) -> Plan:
        """What `medic` does when alerted for `incident` for the `nth` time (0 first); ids are any strings."""
        answer = self._answer(incident, medic, nth)
        delay_s = self._answer_delay_s(incident, medic, nth)
        return Plan(
            notice_s=self._notice_s(delay_s, incident, medic, nth),
            answer=answer,
            answer_s=None if answer is None else delay_s,
            after=self._after(incident, medic, nth) if answer == "accept" else None,
            travel_factor=lognormal(self._draw("travel", incident, medic, nth), 1.0, self.habits.travel_sigma)
            / self.pace,
            gives_up_share=self._draw("gives up", incident, medic, nth),
            on_scene_s=self._between("on scene", self.habits.on_scene_s, incident, medic, nth) / self.pace,
        )

    def _answer(self, incident: str, medic: str, nth: int) -> Answer | None:
        if not self._sees(incident, medic, nth):
            return None
        if self._draw("accepts", incident, medic, nth) < self.habits.accepts_if_seen:
            return "accept"
        declines = self._draw("declines", incident, medic, nth) < self.habits.declines_if_not_accepting
        return "decline" if declines else None

    def _after(self, incident: str, medic: str, nth: int) -> After:
        uniform = self._draw("after", incident, medic, nth)
        return after_accepting(uniform, self.habits.arrives_if_accepted, self.habits.withdraws_if_accepted)

    def _answer_delay_s(self, incident: str, medic: str, nth: int) -> float:
        uniform = self._draw("delay", incident, medic, nth)
        return lognormal(uniform, self.habits.answer_s_median, self.habits.answer_sigma) / self.pace

    def _notice_s(self, delay_s: float, incident: str, medic: str, nth: int) -> float | None:
        if not self._sees(incident, medic, nth):
            return None
        return delay_s * self._between("noticing", self.habits.noticing_share, incident, medic, nth)

    def _sees(self, incident: str, medic: str, nth: int) -> bool:
        return self._draw("sees", incident, medic, nth) < self.habits.seen

    def _between(
        self, purpose: str, bounds: tuple[float, float], incident: str, medic: str, nth: int
    ) -> float:
        return between(bounds, self._draw(purpose, incident, medic, nth))

    def _draw(self, purpose: str, incident: str, medic: str, nth: int) -> float:
        return draw(self.seed, purpose, incident, medic, nth)
