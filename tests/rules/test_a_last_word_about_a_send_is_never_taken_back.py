"""A provider's words about one send come late, doubled, and in every order: its last word stands."""

from itertools import permutations

import pytest

from dispatch.core import events as e
from tests.core.world import Night

WORDS = ("queued", "sending", "sent", "delivered", "undelivered", "failed")
ON_ITS_WAY = ("queued", "sending", "sent")


def say(night: Night, word: str) -> None:
    if word in ON_ITS_WAY:
        night.settle(1, "sent")
    elif word == "delivered":
        night.settle(1, "delivered")
    else:
        night.settle(1, "failed", definite=word == "undelivered")


def told(night: Night) -> list[str]:
    kinds = (e.NotificationSent, e.NotificationDelivered, e.NotificationFailed)
    words = [event for event in night.events if isinstance(event, kinds) and event.k == 1]
    return [_word(event) for event in words]


def _word(event: e.AnyEvent) -> str:
    if isinstance(event, e.NotificationFailed):
        return "undelivered" if event.definite else "failed"
    return "sent" if isinstance(event, e.NotificationSent) else "delivered"


def test_in_every_order_and_doubled() -> None:
    for order in permutations(WORDS):
        night = Night(1).report()
        for word in (*order, *order):
            say(night, word)
            say(night, word)
        certain = next(word for word in order if word in ("delivered", "undelivered"))
        before = order[: order.index(certain)]
        expected = ["sent"] if before and before[0] in ON_ITS_WAY else []
        expected += ["failed"] if "failed" in before else []
        assert told(night) == [*expected, certain], order
        assert len(night.all(e.AlertDelivered)) == (certain == "delivered")


def test_given_up_by_the_carrier_it_is_not_on_its_way_again() -> None:
    night = Night(1).report()
    say(night, "failed")
    say(night, "sent")
    assert told(night) == ["failed"]
    assert night.alert(1).state == "requested"


def test_what_was_given_up_may_have_arrived_all_the_same() -> None:
    night = Night(1).report()
    say(night, "failed")
    say(night, "delivered")
    assert told(night) == ["failed", "delivered"]


def test_a_word_about_a_send_that_is_not_known_is_none() -> None:
    """Another node may have requested it a moment ago: the incident is to be read, and it said again."""
    night = Night(1).report()
    for n, k in ((1, 2), (2, 1), (0, 1)):
        with pytest.raises(LookupError):
            night.settle(n, "sent", k=k)
    assert told(night) == []
