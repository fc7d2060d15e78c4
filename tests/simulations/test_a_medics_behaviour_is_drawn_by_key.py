"""A draw depends on (seed, purpose, incident, medic, nth) alone: not on order, nor on Python's hash seed."""

import os
import random
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from simulations.behaviour import Behaviour, draw

words = st.text(max_size=12)

PRINT_A_PLAN = (
    "from simulations.behaviour import Behaviour\n"
    "print([Behaviour(7).plan('incident', f'medic {i}', 1) for i in range(50)])"
)


@given(st.integers(), words, words, words, st.integers(0, 9))
def test_a_draw_lies_strictly_between_0_and_1_and_repeats(seed, purpose, incident, medic, nth):
    first = draw(seed, purpose, incident, medic, nth)
    assert 0.0 < first < 1.0
    assert draw(seed, purpose, incident, medic, nth) == first


def test_the_order_of_asking_changes_nothing():
    behaviour = Behaviour(3)
    keys = [(f"i{i}", f"m{m}", nth) for i in range(10) for m in range(20) for nth in range(2)]
    in_order = {key: behaviour.plan(*key) for key in keys}
    random.Random(1).shuffle(keys)
    assert {key: behaviour.plan(*key) for key in keys} == in_order


def test_every_part_of_the_key_matters():
    draws = [
        draw(1, "p", "i", "m", 0),
        draw(2, "p", "i", "m", 0),
        draw(1, "q", "i", "m", 0),
        draw(1, "p", "j", "m", 0),
        draw(1, "p", "i", "n", 0),
        draw(1, "p", "i", "m", 1),
    ]
    assert len(set(draws)) == len(draws)


def test_ids_cannot_run_into_each_other():
    assert draw(1, "p", "ab", "c", 0) != draw(1, "p", "a", "bc", 0)
    assert draw(1, "p", "1:a", "", 0) != draw(1, "p", "1", "a:", 0)


def test_pythons_hash_seed_changes_nothing():
    def printed(hash_seed: str) -> str:
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", PRINT_A_PLAN]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    assert printed("1") == printed("2")


def test_pace_shortens_the_times_and_changes_no_choice():
    for number in range(200):
        lived, hurried = (Behaviour(5, pace=pace).plan("i", f"m{number}") for pace in (1.0, 10.0))
        assert (lived.answer, lived.after) == (hurried.answer, hurried.after)
        if lived.answer_s is not None and hurried.answer_s is not None:
            assert abs(lived.answer_s - 10 * hurried.answer_s) < 1e-9
        assert abs(lived.travel_s(300) - 10 * hurried.travel_s(300)) < 1e-6
