"""Ten thousand incidents' lives by chance, each decision of each held against the invariants.

A failure names its seed: ``tests.core.random_life.live(SEED)`` lives that life again, the same every time.
"""

import pytest

from tests.core.random_life import live

LIVES = 10_000
AT_ONCE = 500


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(0, LIVES, AT_ONCE))
def test_no_life_breaks_an_invariant(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        live(seed)


def test_a_seed_gives_the_same_life_again() -> None:
    assert live(7).events == live(7).events
