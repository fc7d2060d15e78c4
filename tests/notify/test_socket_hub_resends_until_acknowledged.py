"""What a device has not acknowledged, its next socket gets again; a slow one is dropped, not waited for."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable

import pytest

from notify.channel import Failed, Postponed, Sent
from notify.message import Message, frame
from notify.websocket import SocketHub


class Socket:
    """A connection with room for `room` frames; unlike a real one it never drains."""

    def __init__(self, room: int = 100) -> None:
        self.room = room
        self.frames: list[str] = []
        self.closed: int | None = None

    def send(self, text: str) -> bool:
        if len(self.frames) >= self.room:
            return False
        self.frames.append(text)
        return True

    def close(self, code: int) -> None:
        self.closed = self.closed or code

    def ids(self) -> list[str]:
        return [json.loads(text)["id"] for text in self.frames]


@pytest.fixture
def presence() -> list[tuple[str, bool]]:
    return []


@pytest.fixture
def hub(presence: list[tuple[str, bool]]) -> SocketHub:
    return SocketHub(lambda medic_id, connected: presence.append((medic_id, connected)))


async def test_a_message_reaches_all_sockets_of_its_medic_and_no_other(
    hub: SocketHub, message: Message
) -> None:
    phone, tablet, other = Socket(), Socket(), Socket()
    hub.connect("m-1", phone)
    hub.connect("m-1", tablet)
    hub.connect("m-2", other)
    assert await hub.send(message, "m-1") == Sent()
    assert phone.frames == tablet.frames == [frame(message)]
    assert other.frames == []
    assert hub.count() == 3


async def test_a_medic_has_so_many_sockets_and_a_further_one_ends_her_oldest(
    presence: list[tuple[str, bool]], message: Message
) -> None:
    hub = SocketHub(lambda medic_id, connected: presence.append((medic_id, connected)), sockets_max=3)
    first, *others = sockets = [Socket() for _ in range(4)]
    for socket in sockets:
        hub.connect("m-1", socket)
    assert (first.closed, [socket.closed for socket in others]) == (1013, [None] * 3)
    assert (hub.count(), presence) == (3, [("m-1", True)])
    assert await hub.send(message, "m-1") == Sent()
    assert (first.ids(), [len(socket.ids()) for socket in others]) == ([], [1, 1, 1])
    hub.disconnect("m-1", first)  # as it says when it has gone
    assert hub.count() == 3


async def test_without_a_socket_the_rung_has_failed(hub: SocketHub, message: Message) -> None:
    assert await hub.send(message, "m-1") == Failed("no_socket", definite=True)
    late = Socket()
    hub.connect("m-1", late)
    assert late.frames == []  # she is asked afresh, by a notification of her new socket's own


async def test_a_new_socket_gets_it_again_until_it_is_acknowledged(hub: SocketHub, message: Message) -> None:
    first, second, third = Socket(), Socket(), Socket()
    hub.connect("m-1", first)
    hub.put("m-1", message)
    hub.disconnect("m-1", first)
    hub.connect("m-1", second)
    assert second.frames == [frame(message)]
    assert hub.acknowledged("m-1", "n-1")
    hub.connect("m-1", third)
    assert third.frames == []
    assert not hub.acknowledged("m-1", "n-1")
    assert not hub.acknowledged("m-2", "n-1")


async def test_any_one_sockets_ack_counts(hub: SocketHub, message: Message) -> None:
    hub.connect("m-1", Socket())
    hub.connect("m-1", Socket())
    hub.put("m-1", message)
    assert hub.acknowledged("m-1", "n-1")
    third = Socket()
    hub.connect("m-1", third)
    assert third.frames == []


async def test_a_later_message_of_the_alert_replaces_the_earlier(
    hub: SocketHub, another: Callable[..., Message]
) -> None:
    hub.connect("m-1", Socket())
    hub.put("m-1", another(message_id="n-1"))
    hub.put("m-1", another(message_id="n-2", alert_id="a-2"))
    hub.put("m-1", another(message_id="n-3", purpose="stand_down", reason="covered"))
    later = Socket()
    hub.connect("m-1", later)
    assert later.ids() == ["n-2", "n-3"]


async def test_a_stand_down_that_no_socket_took_still_ends_the_resending_of_its_alert(
    hub: SocketHub, another: Callable[..., Message]
) -> None:
    first = Socket()
    hub.connect("m-1", first)
    hub.put("m-1", another(message_id="n-1"))
    hub.disconnect("m-1", first)
    assert hub.put("m-1", another(message_id="n-2", purpose="stand_down")) == Failed("no_socket")
    later = Socket()
    hub.connect("m-1", later)
    assert later.frames == []


async def test_a_medic_whom_another_node_has_is_forgotten(hub: SocketHub, message: Message) -> None:
    first, later = Socket(), Socket()
    hub.connect("m-1", first)
    hub.put("m-1", message)
    hub.disconnect("m-1", first)
    hub.forget("m-1")
    hub.connect("m-1", later)
    assert later.frames == []


async def test_a_slow_socket_is_dropped_as_overloaded(
    hub: SocketHub, presence: list[tuple[str, bool]], another: Callable[..., Message]
) -> None:
    slow = Socket(room=1)
    hub.connect("m-1", slow)
    assert hub.put("m-1", another(message_id="n-1")) == Sent()
    assert hub.put("m-1", another(message_id="n-2", alert_id="a-2")) == Failed("no_socket")
    assert slow.closed == 1013
    assert not hub.connected("m-1")
    assert hub.count() == 0
    assert presence == [("m-1", True), ("m-1", False)]


async def test_one_quick_socket_is_enough(hub: SocketHub, message: Message) -> None:
    slow, quick = Socket(room=0), Socket()
    hub.connect("m-1", slow)
    hub.connect("m-1", quick)
    assert hub.put("m-1", message) == Sent()
    assert (slow.closed, quick.closed) == (1013, None)


async def test_presence_is_told_of_the_first_and_the_last_socket(
    hub: SocketHub, presence: list[tuple[str, bool]]
) -> None:
    phone, tablet = Socket(), Socket()
    hub.connect("m-1", phone)
    hub.connect("m-1", tablet)
    hub.disconnect("m-1", phone)
    hub.disconnect("m-1", phone)
    assert (presence, hub.count()) == ([("m-1", True)], 1)
    hub.disconnect("m-1", tablet)
    hub.disconnect("m-1", tablet)
    assert presence == [("m-1", True), ("m-1", False)]
    assert (hub.medics(), hub.count()) == ([], 0)


async def test_a_restart_closes_every_socket_and_those_that_still_come(hub: SocketHub) -> None:
    open_one, late = Socket(), Socket()
    hub.connect("m-1", open_one)
    hub.close_all()
    hub.connect("m-2", late)
    assert (open_one.closed, late.closed) == (1012, 1012)
    assert not hub.connected("m-2")


async def test_signing_out_closes_her_sockets_alone(hub: SocketHub) -> None:
    hers, other = Socket(), Socket()
    hub.connect("m-1", hers)
    hub.connect("m-2", other)
    hub.close_medic("m-1", 4401)
    assert (hers.closed, other.closed) == (4401, None)


async def test_frames_without_an_id_are_not_kept(hub: SocketHub) -> None:
    phone, later = Socket(), Socket()
    hub.connect("m-1", phone)
    hub.tell("m-1", '{"type":"answered"}')
    hub.tell("m-2", '{"type":"answered"}')
    hub.connect("m-1", later)
    assert (phone.frames, later.frames) == (['{"type":"answered"}'], [])


async def test_what_has_no_outcome_may_simply_be_sent_again(hub: SocketHub, message: Message) -> None:
    assert hub.repeatable
    assert await hub.look_up(message, "m-1", 0) == Postponed("repeatable", 0.0)


async def test_what_is_kept_is_bounded(another: Callable[..., Message]) -> None:
    hub = SocketHub(medics_kept_max=2, alerts_kept_max=3)
    for medic in ("m-1", "m-2", "m-3"):
        hub.connect(medic, Socket())
        for nth in range(5):
            hub.put(medic, another(message_id=f"{medic}-n-{nth}", alert_id=f"a-{nth}"))
    kept = {}
    for medic in ("m-1", "m-2", "m-3"):
        late = Socket()
        hub.connect(medic, late)
        kept[medic] = [one.removeprefix(f"{medic}-") for one in late.ids()]
    assert kept == {"m-1": [], "m-2": ["n-2", "n-3", "n-4"], "m-3": ["n-2", "n-3", "n-4"]}


def test_a_connected_medic_takes_a_few_hundred_bytes() -> None:
    hub, sockets = SocketHub(), [Socket() for _ in range(5_000)]
    medics = [f"m-{number}" for number in range(5_000)]
    tracemalloc.start()
    try:
        for medic, socket in zip(medics, sockets, strict=True):
            hub.connect(medic, socket)
        assert tracemalloc.get_traced_memory()[0] / 5_000 < 200
    finally:
        tracemalloc.stop()
