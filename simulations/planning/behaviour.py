"""How the medics of a scenario act on alerts: ``simulations.behaviour``'s plans, by the scenario's keys.

Beside the shares of that module there are two laws of accepting and two of moving:

- ``funnel``: who has seen it accepts with one probability. ``logit``: with one that falls with the distance
  and at night, and has an effect of the medic's own and one of the incident, which all whom it asks share.
- ``overall``: one speed along the straight line from the alert to the patient's door, in which the delay of
  the answer, getting ready and the way's windings are (Jonsson et al., Resuscitation 2020: 2.3 m/s, quartiles
  1.4 and 4.0). ``turnout``: answer, then getting ready (median 105 s, at night 142 s), then a speed by mode.
  Never both: the first holds all that the second adds up.

A draw's key names the call, the medic and how often she was asked; in which order a wave asks is in none.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

from simulations.behaviour import Answer, Habits, Plan, after_accepting, between, lognormal
from simulations.planning.draws import Draws, Purpose
from simulations.planning.engine import Asked
from simulations.planning.records import MODES, Calls, Floats, Population
from simulations.planning.sections import BehaviourKeys

NIGHT = frozenset((22, 23, 0, 1, 2, 3, 4, 5, 6))
"""Hours of the day, local, that count as night."""
NOTICING_SHARE = Habits().noticing_share
"""Of the time until an answer, what passes before the alert is seen; an assumption."""

_PURPOSES = (
    Purpose.SEES,
    Purpose.ACCEPTS,
    Purpose.DECLINES,
    Purpose.DELAY,
    Purpose.NOTICING,
    Purpose.AFTER,
    Purpose.GIVES_UP,
    Purpose.TRAVEL,
    Purpose.TURNOUT,
    Purpose.ON_SCENE,
)
_normal = NormalDist().inv_cdf


class Behaviour:
    """The medics of one replication; calls and medics by their rows."""

    def __init__(self, keys: BehaviourKeys, draws: Draws, population: Population, calls: Calls) -> None:
        self._keys, self._draws = keys, draws
        self._numbers: list[int] = calls.number.tolist()
        self._night = [hour % 24 in NIGHT for hour in calls.hour.tolist()]
        self._mode: list[int] = population.mode.tolist()
        self._medic_effect: list[float] = (keys.medic_effect_sd * population.effect).tolist()
        self._incident_effect = self._effects(calls)
        self._moving_m_s = [keys.moving_m_s[mode.value] for mode in MODES]

    def conduct(self, number: int, asked: Sequence[Asked], at: int) -> list[Plan]:
        """What each of a wave does about the call of row ``number``."""
        medics = [int(one.medic_id) for one in asked]
        draws = self._draws.table(_PURPOSES, self._numbers[number], medics, [one.nth for one in asked])
        return [
            self._plan(number, one, medic, *uniforms)
            for one, medic, uniforms in zip(asked, medics, draws.T.tolist(), strict=True)
        ]

    def accepts_if_seen(self, number: int, medic: int, distance_m: float) -> float:
        """The probability that she accepts this call once she has seen it."""
        keys = self._keys
        if keys.acceptance == "funnel":
            return keys.accepts_if_seen
        there = keys.logit_per_km * distance_m / 1000 + keys.logit_night * self._night[number]
        return logistic(
            logit(keys.accepts_if_seen) + there + self._medic_effect[medic] + self._incident_effect[number]
        )

    def _plan(
        self,
        number: int,
        asked: Asked,
        medic: int,
        sees: float,
        accepts: float,
        declines: float,
        delay: float,
        noticing: float,
        after: float,
        gives_up: float,
        travel: float,
        turnout: float,
        on_scene: float,
    ) -> Plan:
        keys = self._keys
        seen = sees < keys.seen
        answer: Answer | None = None
        if seen and accepts < self.accepts_if_seen(number, medic, asked.distance_m):
            answer = "accept"
        elif seen and declines < keys.declines_if_not_accepting:
            answer = "decline"
        delay_s = lognormal(delay, keys.answer_s, keys.answer_sigma)
        way_s = self._way_s(number, medic, asked.distance_m, delay_s, travel, turnout)
        return Plan(
            notice_s=delay_s * between(NOTICING_SHARE, noticing) if seen else None,
            answer=answer,
            answer_s=delay_s if answer else None,
            after=after_accepting(after, keys.arrives_if_accepted, keys.withdraws_if_accepted)
            if answer == "accept"
            else None,
            travel_factor=way_s / asked.usual_s,
            gives_up_share=gives_up,
            on_scene_s=between(keys.on_scene_s, on_scene),
        )

    def _way_s(
        self, number: int, medic: int, distance_m: float, delay_s: float, travel: float, turnout: float
    ) -> float:
        """From her answer to the door. An overall speed counts from the alert, but nobody leaves before."""
        keys = self._keys
        if keys.movement == "overall":
            return max(0.0, distance_m / lognormal(travel, keys.speed_m_s, keys.speed_sigma) - delay_s)
        ready_s = keys.turnout_night_s if self._night[number] else keys.turnout_s
        return (
            lognormal(turnout, ready_s, keys.turnout_sigma) + distance_m / self._moving_m_s[self._mode[medic]]
        )

    def _effects(self, calls: Calls) -> list[float]:
        uniforms: Floats = self._draws.many(Purpose.INCIDENT_EFFECT, calls.number)
        return [self._keys.incident_effect_sd * _normal(one) for one in uniforms.tolist()]


def logit(p: float) -> float:
    """The log odds of a share. Certainty stays certain whatever is added."""
    if p in (0.0, 1.0):
        return math.copysign(math.inf, p - 0.5)
    return math.log(p / (1.0 - p))


def logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x > -700.0 else 0.0
