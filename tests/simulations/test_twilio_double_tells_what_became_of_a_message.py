"""Status callbacks and replies of the double: signed, late, doubled, out of order, in Twilio's words."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from simulations.twilio_double import TwilioDouble

PHONE = "+31612345678"


class Hook:
    """Notes what is posted, and whether the library of Twilio's customers finds it signed."""

    def __init__(self, auth_token: str) -> None:
        self.validator = RequestValidator(auth_token)
        self.url = self.answer = ""
        self.forms: list[dict[str, str]] = []
        self.signed: list[bool] = []

    async def take(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        url = f"http://{request.host}{request.path_qs}"
        self.forms.append(form)
        self.signed.append(self.validator.validate(url, form, request.headers["X-Twilio-Signature"]))
        return web.Response(text=self.answer) if self.answer else web.Response(status=204)

    def statuses(self) -> list[str]:
        return [form["MessageStatus"] for form in self.forms]


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioDouble]:
    async with TwilioDouble() as double:
        yield double


@pytest.fixture
async def hook(twilio: TwilioDouble) -> AsyncIterator[Hook]:
    taken = Hook(twilio.auth_token)
    app = web.Application()
    app.router.add_post("/hook", taken.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taken.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield taken
    await runner.cleanup()


async def create(twilio: TwilioDouble, callback: str, **fields: str) -> None:
    form = {"To": PHONE, "From": twilio.number, "Body": "hallo", "StatusCallback": callback} | fields
    credentials = aiohttp.encode_basic_auth(twilio.account_sid, twilio.auth_token)
    async with aiohttp.ClientSession(twilio.url, headers={"Authorization": credentials}) as api:
        path = f"/2010-04-01/Accounts/{twilio.account_sid}/Messages.json"
        async with api.post(path, data=form) as answer:
            assert answer.status == 201


async def test_sent_then_delivered_signed_and_complete(twilio: TwilioDouble, hook: Hook) -> None:
    await create(twilio, f"{hook.url}?notification=n-1&x=%C3%A9")
    await twilio.settle()
    assert hook.statuses() == ["sent", "delivered"]
    assert hook.signed == [True, True]
    assert hook.forms[1] == {
        "AccountSid": twilio.account_sid,
        "ApiVersion": "2010-04-01",
        "From": twilio.number,
        "MessageSid": twilio.messages[0].sid,
        "MessageStatus": "delivered",
        "SmsSid": twilio.messages[0].sid,
        "SmsStatus": "delivered",
        "To": PHONE,
    }


async def test_a_slow_network_takes_its_time(twilio: TwilioDouble, hook: Hook) -> None:
    twilio.queue_s, twilio.transit_s = 10.0, 5.0
    await create(twilio, hook.url)
    await twilio.advance(9.9)
    assert (hook.statuses(), twilio.phone(PHONE).inbox) == ([], [])
    await twilio.advance(0.1)
    assert (hook.statuses(), twilio.phone(PHONE).inbox) == (["sent"], [])
    await twilio.advance(5.0)
    assert hook.statuses() == ["sent", "delivered"]
    assert [text.at_s for text in twilio.phone(PHONE).inbox] == [15.0]


async def test_a_message_whose_validity_runs_out_in_the_queue_never_arrives(
    twilio: TwilioDouble, hook: Hook
) -> None:
    twilio.queue_s = 30.5
    await create(twilio, hook.url, ValidityPeriod="30")
    await twilio.advance(30.0)
    assert [(form["MessageStatus"], form["ErrorCode"]) for form in hook.forms] == [("failed", "30036")]
    await twilio.advance(100.0)
    assert twilio.phone(PHONE).inbox == []


async def test_callbacks_come_late(twilio: TwilioDouble, hook: Hook) -> None:
    twilio.callback_delay_s = 20.0
    await create(twilio, hook.url)
    await twilio.settle()
    assert (len(twilio.phone(PHONE).inbox), hook.statuses()) == (1, [])
    await twilio.advance(20.0)
    assert hook.statuses() == ["sent", "delivered"]


async def test_callbacks_come_doubled_and_out_of_order(twilio: TwilioDouble, hook: Hook) -> None:
    twilio.callback_copies, twilio.callbacks_reversed = 2, True
    await create(twilio, hook.url)
    await twilio.settle()
    assert hook.statuses() == ["delivered", "delivered", "sent", "sent"]
    assert all(hook.signed)


async def test_a_phone_that_is_off_is_undelivered(twilio: TwilioDouble, hook: Hook) -> None:
    twilio.phone(PHONE).undelivered_with = 30003
    await create(twilio, hook.url)
    await twilio.settle()
    assert hook.statuses() == ["sent", "undelivered"]
    assert hook.forms[1]["ErrorCode"] == "30003"
    assert twilio.phone(PHONE).inbox == []


async def test_a_network_without_reports_delivers_without_a_word(twilio: TwilioDouble, hook: Hook) -> None:
    twilio.phone(PHONE).reported = False
    await create(twilio, hook.url)
    await twilio.settle()
    assert (len(twilio.phone(PHONE).inbox), hook.statuses()) == (1, ["sent"])


async def test_a_reply_is_posted_signed(twilio: TwilioDouble, hook: Hook) -> None:
    twilio.reply_url = hook.url
    await create(twilio, hook.url, MessagingServiceSid=twilio.service_sid)
    await twilio.settle()
    assert await twilio.phone(PHONE).reply("één +1 €") == 204
    assert hook.signed[-1]
    told = hook.forms[-1]
    assert (told["From"], told["To"], told["Body"]) == (PHONE, twilio.number, "één +1 €")
    assert (told["SmsStatus"], told["MessagingServiceSid"]) == ("received", twilio.service_sid)
    assert told["MessageSid"] == f"SM{2:032x}"


async def test_what_the_answer_to_a_reply_says_is_sent_back(twilio: TwilioDouble, hook: Hook) -> None:
    twilio.reply_url = hook.url
    hook.answer = "<Response><Message>a &lt; b</Message></Response>"
    assert await twilio.phone(PHONE).reply("1") == 200
    await twilio.settle()
    assert [text.body for text in twilio.phone(PHONE).inbox] == ["a < b"]
    assert twilio.messages[-1].direction == "outbound-reply"
    await twilio.phone(PHONE).reply("STOP")
    await twilio.settle()
    assert len(twilio.phone(PHONE).inbox) == 1


async def test_a_callback_that_nobody_takes_is_noted(twilio: TwilioDouble, unused_tcp_port: int) -> None:
    await create(twilio, f"http://127.0.0.1:{unused_tcp_port}/gone")
    await twilio.settle()
    assert [posted.status for posted in twilio.posted] == [None, None]


@pytest.mark.parametrize(
    ("word", "blocked"), [("STOP", True), (" end ", True), ("stop please", False), ("1", False)]
)
async def test_only_a_keyword_alone_blocks_the_sender(twilio: TwilioDouble, word: str, blocked: bool) -> None:
    await twilio.phone(PHONE).reply(word)
    assert (twilio.number in twilio.phone(PHONE).blocked_senders) == blocked
