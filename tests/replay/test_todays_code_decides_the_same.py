"""Every decision of lives by chance is found again from its row, whatever was decided together."""

import pytest
from recorded import recorded

from dispatch.replay.again import replay

LIVES = 200
AT_ONCE = 100


@pytest.mark.parametrize("first", range(0, LIVES, AT_ONCE))
def test_the_same(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        life = recorded(seed)
        found = list(replay(life.rows, life.policies))
        assert [one.decided.seq for one in found if one.verdict != "same"] == [], seed
