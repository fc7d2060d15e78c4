"""Erlang's loss formula: of c medics and a load of a, so many calls find nobody free.

A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic
telephone exchanges", 1917. The load is calls in a mean time on scene; the law of that time is of no matter
(insensitivity: Sevast'yanov, Theory of Probability and its Applications 2, 1957), so two very different ones
are tried.
"""

import numpy as np

from simulations.planning.draws import Draws
from simulations.validation import power
from simulations.validation.chain import Chain, Region
from simulations.validation.check import Check, Floats
from simulations.validation.loss import ON_SCENE_S, exponential_s, played
from simulations.validation.world import SEED, in_a_row

MEDICS, LOAD = 3, 2.0
LAWS = ("exponential", "always the same")


def erlang_b(medics: int, load: float) -> float:
    """The share of calls lost, by recursion over the number of medics."""
    lost = 1.0
    for count in range(1, medics + 1):
        lost = load * lost / (count + load * lost)
    return lost


def checks(*, put_in: float = 0.0, caught: float = power.BIAS) -> list[Check]:
    """``put_in``: the time on scene so much longer.

    The sample is sized by the exponential law's variance; the printed intervals show that the other's is no
    larger.
    """
    theirs = erlang_b(MEDICS, LOAD)
    moved = erlang_b(MEDICS, LOAD * (1 + caught)) / theirs - 1
    chain = Chain(LOAD, (Region(1.0, tuple(range(MEDICS))),))
    n = power.of_a_mean(chain.lost_variation(), moved)
    found: list[Check] = []
    for case, law in enumerate(LAWS):
        draws = Draws(SEED, case)
        on_scene_s = (1 + put_in) * _on_scene_s(law, draws, n)
        run = played(in_a_row(MEDICS), LOAD, on_scene_s, draws)
        name = f"share of calls lost, {MEDICS} medics, load {LOAD:.0f}, time on scene {law}"
        found.append(run.lost(name, theirs))
    return found


def _on_scene_s(law: str, draws: Draws, n: int) -> Floats:
    return exponential_s(draws, n) if law == "exponential" else np.full(n, ON_SCENE_S)
