"""A full collection passes by what has been there for a while, until many sockets have closed."""

import gc
import weakref

import pytest

from dispatch.garbage import CLOSED_MIN, Garbage


class Knot:
    """Refers to itself, so that nothing but the collector ever frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _unfrozen():
    yield
    gc.unfreeze()


def test_what_is_new_and_in_nobodys_hands_is_freed():
    garbage = Garbage(lambda: (0, 0))
    known = weakref.ref(Knot())
    garbage.look()
    assert known() is None


def test_what_stayed_is_frozen_until_a_quarter_of_the_sockets_has_closed():
    open_, closed = 8 * CLOSED_MIN, 0
    garbage = Garbage(lambda: (open_, closed))
    socket = Knot()
    known = weakref.ref(socket)
    garbage.look()
    assert gc.get_freeze_count() > 0
    del socket
    closed = 2 * CLOSED_MIN - 1
    garbage.look()
    assert known() is not None, "looked at everything"
    closed += 1
    garbage.look()
    assert known() is None
