"""A full collection passes by what has been there for a while, until many sockets have closed."""

import asyncio
import gc
import weakref

import pytest

from dispatch.garbage import CLOSED_MIN, Garbage, not_while_starting


class Knot:
    """Refers to itself, so that nothing but the collector ever frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _unfrozen():
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.enable()
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


async def test_what_a_start_makes_is_not_looked_at_before_it_serves_nor_after():
    not_while_starting()
    assert not gc.isenabled()
    known = weakref.ref(Knot())
    running = asyncio.create_task(Garbage(lambda: (0, 0)).run())
    await asyncio.sleep(0)
    assert gc.isenabled()
    gc.collect()
    assert known() is not None, "looked at what the start had made"
    late = weakref.ref(Knot())
    gc.collect()
    assert late() is None
    running.cancel()
