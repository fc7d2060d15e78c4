"""Chance by key: a draw is a function of (seed, replication, purpose, incident, medic, nth) and nothing else.

Two policies that ask different medics in a different order therefore see the same world (common random
numbers), and it does not matter which process draws. The key's parts are folded, one after the other, by the
finaliser of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA
2014), in arrays: a wave's medics are drawn together.
"""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Uniforms = NDArray[np.float64]
_Words = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _12 = (np.uint64(bits) for bits in (30, 27, 31, 12))

NOBODY = 0
"""The medic in the key of what concerns an incident alone."""


class Purpose(IntEnum):
    """What a draw is for. The numbers are part of every result: they are never given anew."""

    SEES = 1
    ACCEPTS = 2
    DECLINES = 3
    DELAY = 4
    NOTICING = 5
    AFTER = 6
    GIVES_UP = 7
    TRAVEL = 8
    TURNOUT = 9
    ON_SCENE = 10
    MEDIC_EFFECT = 11
    INCIDENT_EFFECT = 12
    WHEREABOUTS = 13
    PLACE = 14
    TIME = 15
    KIND = 16
    TRUE_ARREST = 17
    RECOGNISED = 18
    BYSTANDER = 19
    COLLAPSE = 20
    ALERT = 21
    AMBULANCE = 22
    KERB = 23
    HOME = 24
    WORK = 25
    MODE = 26
    AVAILABLE = 27
    SETTING = 28
    FORECAST = 29
    SKILL = 30
    BOOTSTRAP = 31


class Draws:
    """The draws of one replication. All arguments are non-negative integers, or arrays of them."""

    def __init__(self, seed: int, replication: int) -> None:
        root = _fold(_fold(_words(0), _words(seed)), _words(replication))
        self._by_purpose = _fold(root, np.arange(1 + max(Purpose), dtype=np.uint64))

    def one(self, purpose: Purpose, incident: int, medic: int = NOBODY, nth: int = 0) -> float:
        """A uniform number in (0, 1)."""
        return float(self.many(purpose, incident, medic, nth))

    def many(
        self, purpose: Purpose, incident: ArrayLike, medic: ArrayLike = NOBODY, nth: ArrayLike = 0
    ) -> Uniforms:
        """Uniform numbers in (0, 1), shaped as the arguments broadcast."""
        word = self._by_purpose[purpose]
        for part in (incident, medic, nth):
            word = _fold(word, _words(part))
        return _uniform(word)

    def table(
        self, purposes: tuple[Purpose, ...], incident: int, medics: Sequence[int], nth: Sequence[int]
    ) -> Uniforms:
        """``many`` for several purposes at once, a row each: what a wave's medics will do."""
        # The parts of all keys are mixed in one go: a wave is small, and each step of numpy's costs a call.
        mixed = _mixed(_spread(_words([incident, *medics, *nth])))
        of_medics, of_nth = mixed[1 : 1 + len(medics)], mixed[1 + len(medics) :]
        word = _mixed((self._by_purpose.take(purposes) ^ mixed[0]) + _GOLDEN)[:, None]
        word = _mixed((word ^ of_medics) + _GOLDEN)
        return _uniform(_mixed((word ^ of_nth) + _GOLDEN))


def _words(numbers: ArrayLike) -> _Words:
    return np.asarray(numbers, dtype=np.uint64)


def _fold(word: _Words, part: _Words) -> _Words:
    """The word with one more part of the key in it: different parts give unrelated words."""
    with np.errstate(over="ignore"):  # numpy warns of single words, and never of arrays
        mixed: _Words = (word ^ _mixed(_spread(part))) + _GOLDEN
        return _mixed(mixed)


def _spread(part: _Words) -> _Words:
    spread: _Words = (part + np.uint64(1)) * _GOLDEN
    return spread


def _mixed(word: _Words) -> _Words:
    word = (word ^ (word >> _30)) * _FIRST
    word = (word ^ (word >> _27)) * _SECOND
    mixed: _Words = word ^ (word >> _31)
    return mixed


def _uniform(word: _Words) -> Uniforms:
    """The middle of each of 2**52 intervals: 0.0 and 1.0 cannot occur."""
    uniforms: Uniforms = ((word >> _12).astype(np.float64) + 0.5) * 2.0**-52
    return uniforms
