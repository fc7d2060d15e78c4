"""A text that is no answer is told to the control room, changes nothing, and is not kept."""

from dispatch.core import commands as c
from dispatch.core import events as e
from tests.core.world import Night


def test_it_is_told_with_the_alerts_number_alone() -> None:
    night = Night(1).report()
    before = night.alert(1)
    night.do(c.NotUnderstand, by="medic", n=1, channel="sms")
    (event,) = night.all(e.TextNotUnderstood)
    assert (event.n, event.channel) == (1, "sms")
    assert night.alert(1) == before
