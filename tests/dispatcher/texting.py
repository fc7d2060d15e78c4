"""SMS for a node in this process: the real channel to a Twilio double over loopback, and its webhooks back.

Unrealistic: the webhooks are read here and not by the service's own routes, with the same readers.
"""

from collections.abc import Mapping

from aiohttp import web

from dispatch.clock import Clock
from dispatch.store.appends import Unavailable
from notify.channel import Channel, Failed, Sent
from notify.sms import SmsChannel, SmsSettings
from notify.twilio_webhooks import answer_to_reply, read_reply, read_status, signed_by_twilio
from simulations.twilio_double import TwilioDouble
from tests.dispatcher.town import Town


class Texting:
    """``node`` is where webhooks go; without one they get no answer but an error."""

    def __init__(self) -> None:
        self.twilio = TwilioDouble()
        self.node: Town | None = None
        self.timeout_s = 10.0
        self._open: list[SmsChannel] = []

    async def start(self) -> None:
        routes = [web.post("/v1/twilio/status", self._status), web.post("/v1/twilio/sms", self._reply)]
        await self.twilio.start(routes=routes)
        self.twilio.reply_url = f"{self.twilio.url}/v1/twilio/sms"

    async def stop(self) -> None:
        for channel in self._open:
            await channel.close()
        await self.twilio.stop()

    def channels(self, clock: Clock) -> Mapping[str, Channel]:
        settings = SmsSettings(
            account_sid=self.twilio.account_sid,
            auth_token=self.twilio.auth_token,
            from_number=self.twilio.number,
            public_url=self.twilio.url,
            api_url=self.twilio.url,
            timeout_s=self.timeout_s,
        )
        self._open.append(SmsChannel(settings, clock.now_ms))
        return {"sms": self._open[-1]}

    def texts_to(self, phone: str) -> list[str]:
        return [text.body for text in self.twilio.phone(phone).inbox]

    async def _status(self, request: web.Request) -> web.Response:
        outcome = read_status(await self._form(request))
        notification = request.query["notification"]
        if self.node is None:
            return web.Response(status=503)
        dispatcher = self.node.dispatcher
        if isinstance(outcome, Sent):
            await dispatcher.settled(notification, "delivered" if outcome.delivered else "sent")
        elif isinstance(outcome, Failed):
            await dispatcher.settled(notification, "failed", reason=outcome.reason, definite=outcome.definite)
        return web.Response(status=204)

    async def _reply(self, request: web.Request) -> web.Response:
        reply = read_reply(await self._form(request))
        assert reply is not None
        if self.node is None:
            return web.Response(status=503)
        try:
            back = await self.node.dispatcher.answered_by_sms(reply.phone, reply.text, reply.provider_id)
        except Unavailable:
            return web.Response(status=503)
        return web.Response(text=answer_to_reply(back), content_type="text/xml")

    async def _form(self, request: web.Request) -> dict[str, str]:
        form = {name: str(value) for name, value in (await request.post()).items()}
        signature = request.headers.get("X-Twilio-Signature")
        url = f"{self.twilio.url}{request.path_qs}"
        assert signed_by_twilio(self.twilio.auth_token, url, form, signature)
        return form
