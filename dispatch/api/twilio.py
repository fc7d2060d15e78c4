"""What Twilio posts: the fate of an SMS, and what a medic's phone wrote back.

Taken only with Twilio's signature over the public URL; anything else is 403. Twilio posts again what it got
no answer to, so a repeat does nothing. No phone number is logged.
"""

from collections.abc import Mapping
from typing import Literal, Protocol
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from dispatch.api.problem import Problem
from dispatch.api.reading import read_body
from dispatch.api.routes import Operation
from dispatch.ids import may_be_id
from dispatch.sending.sender import Result
from notify.channel import Failed, Sent
from notify.twilio_webhooks import answer_to_reply, read_reply, read_status, signed_by_twilio

HEADER = "X-Twilio-Signature"
FIELDS_MAX = 100


class Inbox(Protocol):
    """What the service does with Twilio's word."""

    async def settled(
        self, notification: str, result: Result, *, reason: str = "", definite: bool = False
    ) -> bool: ...

    async def answered_by_sms(self, phone: str, text: str, provider_id: str) -> str | None: ...


class Optings(Protocol):
    """What the service does with a keyword that the carrier acts on."""

    async def opted(self, phone: str, opt: Literal["out", "in"]) -> None: ...


class TwilioApi:
    """Without an auth token and a public URL nothing can be checked, and everything is refused."""

    def __init__(
        self, inbox: Inbox, optings: Optings, auth_token: str | None, public_url: str | None
    ) -> None:
        self._inbox = inbox
        self._optings = optings
        self._auth_token = auth_token
        self._public_url = public_url

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "POST",
                "/v1/twilio/status",
                self.status,
                "Twilio tells what became of an SMS",
                None,
                status=204,
                query=("notification",),
                headers=(HEADER,),
                refusals=("forbidden",),
                work="answer",
            ),
            Operation(
                "POST",
                "/v1/twilio/sms",
                self.sms,
                "Twilio brings an SMS of a medic",
                None,
                media_type="text/xml",
                headers=(HEADER,),
                refusals=("forbidden",),
                work="answer",
            ),
        ]

    async def status(self, request: Request) -> Response:
        form = await self._signed_form(request)
        notification = request.query_params.get("notification", "")
        outcome = read_status(form)
        if may_be_id(notification):
            if isinstance(outcome, Sent):
                await self._inbox.settled(notification, "delivered" if outcome.delivered else "sent")
            elif isinstance(outcome, Failed):
                await self._inbox.settled(
                    notification, "failed", reason=outcome.reason, definite=outcome.definite
                )
        return Response(status_code=204)

    async def sms(self, request: Request) -> Response:
        reply = read_reply(await self._signed_form(request))
        if reply is not None and reply.opt is not None:
            await self._optings.opted(reply.phone, reply.opt)
        # A word that the carrier acts on is a text like any other too: "yes" to an alert answers nothing.
        back = None
        if reply is not None and len(reply.provider_id) <= 64:
            back = await self._inbox.answered_by_sms(reply.phone, reply.text, reply.provider_id)
        return Response(answer_to_reply(back), media_type="text/xml")

    async def _signed_form(self, request: Request) -> Mapping[str, str]:
        body = await read_body(request)
        try:
            pairs = parse_qsl(
                body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
            )
        except ValueError:
            raise Problem("malformed") from None
        form = dict(pairs)
        if len(form) != len(pairs) or any("\0" in value for value in form.values()):
            raise Problem("malformed")
        if self._auth_token is None or self._public_url is None:
            raise Problem("forbidden")
        query = request.scope["query_string"].decode("latin-1")
        url = f"{self._public_url}{request.url.path}" + (f"?{query}" if query else "")
        if not signed_by_twilio(self._auth_token, url, form, request.headers.get(HEADER)):
            raise Problem("forbidden")
        return form
