"""Sources: simulations/behaviour.py, simulations/planning/behaviour.py."""

import itertools
import random
from statistics import correlation, mean, median, quantiles

import handmade
import numpy as np
import pytest

from simulations.behaviour import Habits
from simulations.planning.behaviour import Behaviour
from simulations.planning.draws import Draws
from simulations.planning.engine import Asked
from simulations.planning.sections import BehaviourKeys, MedicsKeys

NOON, MIDNIGHT = handmade.MONDAY + 12 * handmade.H, handmade.MONDAY
INCIDENTS, WAVE = 400, 50
MODES = ("foot", "bicycle", "car")


def behaviour_of(keys=None, *, answered_at=NOON, incidents=INCIDENTS, medics=WAVE, mode=None):
    population = handmade.medics(
        [0.0] * medics,
        effect=np.linspace(-2, 2, medics),
        **({} if mode is None else {"mode": np.array(mode, dtype=np.int8)}),
    )
    return Behaviour(
        keys or BehaviourKeys(),
        Draws(seed=11, replication=0),
        population,
        handmade.calls([answered_at] * incidents),
    )


def asked_at(distance_m, *, medics=WAVE, eta_s=100):
    return [Asked(str(medic), 0, distance_m, eta_s) for medic in range(medics)]


def plans(behaviour, distance_m=500, *, incidents=INCIDENTS):
    return [behaviour.conduct(number, asked_at(distance_m), 0) for number in range(incidents)]


def test_of_those_alerted_the_fields_shares_see_accept_and_arrive():
    everyone = list(itertools.chain.from_iterable(plans(behaviour_of())))
    share = {
        "seen": mean(plan.notice_s is not None for plan in everyone),
        "accepted": mean(plan.answer == "accept" for plan in everyone),
        "arrived": mean(plan.arrives for plan in everyone),
    }
    assert share == pytest.approx({"seen": 0.756, "accepted": 0.377, "arrived": 0.271}, abs=0.012)


def test_the_shares_are_those_of_every_other_simulation():
    keys, habits = BehaviourKeys(), Habits()
    for name in (
        "seen",
        "accepts_if_seen",
        "declines_if_not_accepting",
        "arrives_if_accepted",
        "withdraws_if_accepted",
        "answer_sigma",
        "on_scene_s",
    ):
        assert getattr(keys, name) == getattr(habits, name)
    assert keys.answer_s == habits.answer_s_median


def test_a_permuted_order_of_alerts_gives_each_medic_the_same_answer():
    behaviour = behaviour_of(BehaviourKeys(acceptance="logit"))
    asked = [Asked(str(medic), medic % 3, 37 * medic, 10 * medic) for medic in range(WAVE)]
    in_order = dict(zip(asked, behaviour.conduct(5, asked, 0), strict=True))
    for seed in range(5):
        random.Random(seed).shuffle(asked)
        halves = behaviour.conduct(5, asked[:20], 0) + behaviour.conduct(5, asked[20:], 99_000)
        assert dict(zip(asked, halves, strict=True)) == in_order


def test_the_overall_speed_holds_from_the_alert_to_the_door():
    """2.3 m/s, quartiles 1.4 and 4.0, with the answer's delay inside; nobody is there before she answers."""
    arriving = [plan for wave in plans(behaviour_of(), 2000) for plan in wave if plan.arrives]
    there_s = [plan.answer_s + plan.travel_s(100) for plan in arriving]
    low, middle, high = quantiles((2000 / s for s in there_s), n=4)
    assert middle == pytest.approx(2.3, rel=0.05)
    assert (low, high) == pytest.approx((1.4, 4.0), rel=0.08)
    assert min(s - plan.answer_s for s, plan in zip(there_s, arriving, strict=True)) >= 0.0


def test_turnout_and_a_speed_by_mode_reproduce_the_fields_956_m_in_6_2_min():
    shares = MedicsKeys().modes
    counts = [round(WAVE * shares[mode]) for mode in MODES]
    mode = [number for number, count in enumerate(counts) for _ in range(count)]
    behaviour = behaviour_of(BehaviourKeys(movement="turnout"), mode=mode)
    there_s = [
        plan.answer_s + plan.travel_s(100) for wave in plans(behaviour, 956) for plan in wave if plan.arrives
    ]
    assert median(there_s) / 60 == pytest.approx(6.2, abs=0.3)


def test_getting_ready_takes_longer_at_night():
    ready_s = {}
    for hour in (NOON, MIDNIGHT):
        behaviour = behaviour_of(BehaviourKeys(movement="turnout"), answered_at=hour)
        ready_s[hour] = median(plan.travel_s(1) for wave in plans(behaviour, 0) for plan in asked_once(wave))
    assert ready_s == pytest.approx({NOON: 105, MIDNIGHT: 142}, rel=0.05)


def asked_once(wave):
    """The travel time of a plan asked with 100 s, taken back to 1 s."""
    return (
        type(plan)(
            **{name: getattr(plan, name) for name in plan.__slots__}
            | {"travel_factor": plan.travel_factor * 100}
        )
        for plan in wave
    )


def test_one_movement_law_knows_nothing_of_the_other():
    overall = behaviour_of(BehaviourKeys(movement="overall", turnout_s=9e9, turnout_night_s=9e9))
    turnout = behaviour_of(BehaviourKeys(movement="turnout", speed_m_s=1e-9))
    assert plans(overall, incidents=3) == plans(behaviour_of(), incidents=3)
    assert plans(turnout, incidents=3) == plans(behaviour_of(BehaviourKeys(movement="turnout")), incidents=3)


def logit_shares(**keys):
    behaviour = behaviour_of(BehaviourKeys(acceptance="logit", **({"seen": 1.0} | keys)))
    return behaviour, [[plan.answer == "accept" for plan in wave] for wave in plans(behaviour, 0)]


def test_acceptance_falls_with_distance_and_at_night():
    keys = BehaviourKeys(acceptance="logit", medic_effect_sd=0, incident_effect_sd=0)
    day, night = behaviour_of(keys), behaviour_of(keys, answered_at=MIDNIGHT)
    assert day.accepts_if_seen(0, 0, 0) == pytest.approx(0.5)
    assert day.accepts_if_seen(0, 0, 2000) == pytest.approx(1 / (1 + np.exp(1.0)))
    assert night.accepts_if_seen(0, 0, 0) == pytest.approx(1 / (1 + np.exp(0.5)))


def test_a_medics_own_effect_is_the_same_at_every_incident():
    behaviour, accepted = logit_shares(incident_effect_sd=0)
    by_medic = [mean(column) for column in zip(*accepted, strict=True)]
    assert correlation(by_medic, list(np.linspace(-2, 2, WAVE))) > 0.95
    assert behaviour.accepts_if_seen(3, 0, 0) == pytest.approx(1 / (1 + np.exp(2)))


def test_an_incidents_effect_makes_nobody_came_more_likely():
    """Those asked together say no together: the variance between incidents is above the binomial one."""
    spread = {}
    for sd in (0.0, 0.5):
        _, accepted = logit_shares(medic_effect_sd=0, incident_effect_sd=sd)
        spread[sd] = float(np.var([mean(wave) for wave in accepted])) * WAVE / 0.25
    assert spread[0.0] == pytest.approx(1.0, abs=0.25)
    # Between incidents p varies by 0.25 * 0.5 at the middle: about 1 + (WAVE - 1) * (0.125)^2 / 0.25.
    assert spread[0.5] == pytest.approx(1 + 49 * 0.055, rel=0.25)


def test_certainty_is_certain_whatever_is_added():
    for share in (0.0, 1.0):
        _, accepted = logit_shares(accepts_if_seen=share)
        assert {mean(wave) for wave in accepted} == {share}
