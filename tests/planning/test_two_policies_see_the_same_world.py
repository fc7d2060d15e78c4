"""Common random numbers: whoever two policies both ask does the same in both; differences stand out."""

import handmade
import numpy as np

from dispatch.core.policy import Rung
from simulations.planning.sections import BehaviourKeys
from simulations.planning.world import World

NOON = handmade.MONDAY + 12 * handmade.H
REPLICATIONS, CALLS = 30, 12
FEW, MANY = handmade.policies(waves=[(0, 3), (45, 3)]), handmade.policies(waves=[(0, 7)])


def calls_of(replication: int):
    """On a street, a quarter of an hour apart, the ambulance as late as it happens."""
    chance = np.random.default_rng(replication)
    answered = NOON + np.arange(CALLS) * 15 * handmade.MIN
    kerb = answered + chance.integers(6, 15, CALLS) * handmade.MIN
    return handmade.calls(
        answered.tolist(),
        lat=handmade.LAT + chance.uniform(0, 3000, CALLS) * handmade.METRES_NORTH,
        ambulance_kerb_at=kerb,
        ambulance_patient_at=kerb + handmade.MIN,
    )


def gained_s(outcomes, calls) -> float:
    ambulance_s = (calls.ambulance_patient_at - calls.answered_at) / 1000
    return float(np.maximum(0.0, ambulance_s - outcomes.at_patient_s[:, 0]).mean())


def test_paired_differences_vary_less_than_those_of_two_worlds(record_property):
    """Other medics' chance alone, at the same calls: two worlds that had other calls too differ far more."""
    world = World(handmade.medics(range(0, 3000, 60), mode=1), BehaviourKeys(), seed=3)
    few, many, apart = np.array(
        [
            (
                gained_s(world.run(calls, FEW, nth), calls),
                gained_s(world.run(calls, MANY, nth), calls),
                gained_s(world.run(calls, MANY, nth + REPLICATIONS), calls),
            )
            for nth in range(REPLICATIONS)
            for calls in [calls_of(nth)]
        ]
    ).T
    ratio = float(np.var(many - few) / np.var(apart - few))
    record_property("paired variance over unpaired", ratio)
    print(f"paired variance is {ratio:.2f} of the unpaired one")
    assert ratio < 0.5


def test_a_policy_that_asks_the_same_in_another_order_gets_the_same_answers():
    """All seven at once, or one after the other: who accepts once seen, and when she would, is hers."""
    world = World(handmade.medics(range(0, 700, 100)), BehaviourKeys(answer_sigma=0.0), seed=3)
    calls = calls_of(0)
    at_once = world.run(calls, handmade.policies(waves=[(0, 7)], wanted=7, replace=False), 0)
    in_turn = world.run(
        calls,
        handmade.policies(waves=[(i, 1) for i in range(7)], wanted=7, replace=False),
        0,
    )
    assert at_once.accepts.tolist() == in_turn.accepts.tolist()
    assert at_once.medic_alerts.tolist() == in_turn.medic_alerts.tolist()


def test_a_channel_before_the_app_is_no_delay():
    """Nobody is within reach of it: it fails for certain, and her app is told at once."""
    world = World(handmade.medics(range(0, 700, 100)), BehaviourKeys(), seed=3)
    calls = calls_of(0)
    sms_first = handmade.policies(waves=[(0, 7)], ladder=(Rung("sms", 0), Rung("websocket", 20)))
    plain, with_sms = world.run(calls, MANY, 0), world.run(calls, sms_first, 0)
    assert plain.accepts.sum() > 0
    assert np.array_equal(plain.at_patient_s, with_sms.at_patient_s)
    assert np.array_equal(plain.alerts, with_sms.alerts)


def test_what_a_medic_does_at_a_call_hangs_on_no_other_call():
    """Each is a day from the next; without some of them, the others go as they went."""
    world = World(handmade.medics(range(0, 700, 100)), BehaviourKeys(), seed=3)
    calls = handmade.calls([NOON + day * 24 * handmade.H for day in range(10)])
    some = np.arange(10) % 3 == 1
    whole, part = world.run(calls, MANY, 0), world.run(calls.rows(some), MANY, 0)
    assert len(set(whole.accepts.tolist())) > 1
    assert np.array_equal(whole.at_patient_s[some], part.at_patient_s)
    assert np.array_equal(whole.accepts[some], part.accepts)
