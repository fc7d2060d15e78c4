"""Status callbacks and replies, from the double to a webhook of ours and through our reading of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from notify.channel import Failed, Outcome, Sent
from notify.message import Message
from notify.sms import SmsChannel
from notify.twilio_webhooks import Reply, read_reply, read_status, signed_by_twilio
from simulations.twilio_double import TwilioDouble

PHONE = "+31612345678"


class Webhook:
    """An endpoint that checks each signature against its public URL, then reads the form."""

    def __init__(self, auth_token: str) -> None:
        self.auth_token = auth_token
        self.public_url = ""
        self.statuses: list[tuple[str, Outcome | None]] = []
        self.replies: list[Reply | None] = []

    async def take(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        url = self.public_url + request.path_qs
        if not signed_by_twilio(self.auth_token, url, form, request.headers.get("X-Twilio-Signature")):
            return web.Response(status=403)
        if request.path == "/v1/twilio/status":
            self.statuses.append((request.query["notification"], read_status(form)))
        else:
            self.replies.append(read_reply(form))
        return web.Response(status=204)


@pytest.fixture
async def webhook(twilio: TwilioDouble) -> AsyncIterator[Webhook]:
    taken = Webhook(twilio.auth_token)
    app = web.Application()
    app.router.add_post("/v1/twilio/{what}", taken.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taken.public_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    twilio.reply_url = f"{taken.public_url}/v1/twilio/sms"
    yield taken
    await runner.cleanup()


@pytest.fixture
def reported(open_channel: Callable[..., SmsChannel], webhook: Webhook) -> SmsChannel:
    """A channel whose messages' fates are reported to the webhook."""
    return open_channel(public_url=webhook.public_url)


async def test_sent_then_delivered(
    twilio: TwilioDouble, webhook: Webhook, reported: SmsChannel, message: Message
) -> None:
    twilio.expect(PHONE)
    await reported.send(message, PHONE)
    await twilio.settle()
    sid = twilio.messages[0].sid
    assert webhook.statuses == [("n-1", Sent(sid)), ("n-1", Sent(sid, delivered=True))]


async def test_an_unknown_outcome_is_settled_by_the_callback(
    twilio: TwilioDouble, webhook: Webhook, reported: SmsChannel, message: Message
) -> None:
    twilio.expect(PHONE)
    twilio.fail_next(504, accepted=True)
    await reported.send(message, PHONE)
    await twilio.settle()
    assert webhook.statuses[-1] == ("n-1", Sent(twilio.messages[0].sid, delivered=True))


async def test_undelivered_with_its_code(
    twilio: TwilioDouble, webhook: Webhook, reported: SmsChannel, message: Message
) -> None:
    twilio.expect(PHONE)
    twilio.phone(PHONE).undelivered_with = 30005
    await reported.send(message, PHONE)
    await twilio.settle()
    assert webhook.statuses[-1] == ("n-1", Failed("unknown_handset", definite=True))


@pytest.mark.parametrize(
    "form",
    [{}, {"MessageStatus": "levitating"}, {"MessageStatus": "receiving", "ErrorCode": "x"}],
)
def test_a_status_that_we_do_not_know_says_nothing(form: dict[str, str]) -> None:
    assert read_status(form) is None


@pytest.mark.parametrize("code", ["²", "9" * 5_000])
def test_an_error_code_that_is_no_number_is_no_code(code: str) -> None:
    """Python reads no number of more than 4,300 digits."""
    assert read_status({"MessageStatus": "failed", "ErrorCode": code}) == Failed(
        "undelivered", definite=False
    )


async def test_a_reply_is_read(
    twilio: TwilioDouble, webhook: Webhook, reported: SmsChannel, message: Message
) -> None:
    twilio.expect(PHONE)
    await reported.send(message, PHONE)
    await twilio.settle()
    assert await twilio.phone(PHONE).reply(" één 1") == 204
    assert webhook.replies == [Reply(twilio.messages[-1].sid, PHONE, " één 1", None)]


async def test_a_keyword_says_that_it_blocks_the_sender(twilio: TwilioDouble, webhook: Webhook) -> None:
    await twilio.phone(PHONE).reply("STOP")
    await twilio.phone(PHONE).reply("start")
    assert [reply.opt for reply in webhook.replies if reply] == ["out", "in"]


def test_advanced_opt_out_says_so_itself() -> None:
    form = {"MessageSid": "SM1", "From": PHONE, "Body": "genoeg", "OptOutType": "STOP"}
    assert read_reply(form) == Reply("SM1", PHONE, "genoeg", "out")


def test_a_form_without_a_sender_is_no_reply() -> None:
    assert read_reply({"MessageSid": "SM1", "Body": "1"}) is None
    assert read_reply({"From": PHONE, "Body": "1"}) is None


async def test_a_forged_callback_is_refused(
    twilio: TwilioDouble, webhook: Webhook, reported: SmsChannel, message: Message
) -> None:
    twilio.expect(PHONE)
    webhook.auth_token = "another"
    await reported.send(message, PHONE)
    await twilio.settle()
    assert [posted.status for posted in twilio.posted] == [403, 403]
    assert webhook.statuses == []
