"""`TwilioDouble`: the account, its phones and its network behind one HTTP server."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Literal, Self
from urllib.parse import urlsplit
from xml.etree import ElementTree

from aiohttp import web

from simulations.twilio_double import listing
from simulations.twilio_double.errors import Refused, refusals
from simulations.twilio_double.expectations import Expectations
from simulations.twilio_double.faults import Call, Fault, Faults, Met
from simulations.twilio_double.phones import Text, VirtualPhone
from simulations.twilio_double.records import API_VERSION, Record
from simulations.twilio_double.segments import count_segments
from simulations.twilio_double.timeline import Timeline
from simulations.twilio_double.webhooks import Posted, Webhooks

ACCOUNT_SID = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "double-auth-token"  # noqa: S105 (of an account that exists nowhere else)
NUMBER = "+15005550006"
SERVICE_SID = "MG" + "0" * 31 + "1"
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_BODY_CHARS_MAX = 1600
_VALIDITY_S_MAX = 36_000


class TwilioDouble:
    """One account with one number and one messaging service; see the package for what it does and does not.

    `strict`: leaving the context fails on an SMS nobody expected and on one that never came. `live`: its
    time is the event loop's. What the network does is set by the attributes, at any moment:

    - `queue_s`: how long a message waits before it is sent; longer than its validity, and it never is.
    - `transit_s`: from sent to delivered. `callback_delay_s`: how late a status callback comes.
    - `callback_copies`: how often each comes. `callbacks_reversed`: the last status is told first.
    - `list_lag_s`: how long a list lacks a message that has been accepted.
    - `reply_url`: where replies are posted (None: nowhere). `on_text`: called for every text that arrives.
    """

    def __init__(
        self,
        account_sid: str = ACCOUNT_SID,
        auth_token: str = AUTH_TOKEN,
        *,
        number: str = NUMBER,
        service_sid: str = SERVICE_SID,
        reply_url: str | None = None,
        strict: bool = False,
        live: bool = False,
        epoch_s: float | None = None,
    ) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.number = number
        self.service_sid = service_sid
        self.reply_url = reply_url
        self.queue_s = 0.0
        self.transit_s = 0.0
        self.callback_delay_s = 0.0
        self.callback_copies = 1
        self.callbacks_reversed = False
        self.list_lag_s = 0.0
        self.on_text: Callable[[Text], None] | None = None
        self.messages: list[Record] = []
        self._strict = strict
        self._epoch_s = time.time() if epoch_s is None else epoch_s
        self._phones: dict[str, VirtualPhone] = {}
        self._faults = Faults()
        self._expectations = Expectations()
        self._timeline = Timeline(live=live)
        self._webhooks = Webhooks(auth_token)
        self._withheld: dict[str, list[dict[str, str]]] = {}
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.url = ""

    # --- starting and stopping

    async def start(
        self, port: int = 0, host: str = "127.0.0.1", *, routes: Iterable[web.AbstractRouteDef] = ()
    ) -> str:
        """Listen, on further `routes` too; returns the base URL."""
        app = web.Application(middlewares=[refusals])
        app.router.add_routes(routes)
        base = f"/{API_VERSION}/Accounts/{{account}}/Messages"
        app.router.add_post(f"{base}.json", self._create)
        app.router.add_get(f"{base}.json", self._list)
        app.router.add_get(f"{base}/{{sid}}.json", self._fetch)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self._timeline.start()
        bound_port = self._runner.addresses[0][1]
        self.url = f"http://{host}:{bound_port}"
        return self.url

    async def stop(self) -> None:
        """Stop listening, let go of hanging requests, forget what was still to happen."""
        self._closing.set()
        try:
            await self._timeline.stop()
        finally:
            await self._webhooks.close()
            if self._runner is not None:
                await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        await self.stop()
        if self._strict and error_type is None:
            self.assert_all_expected()

    # --- what a test tells it

    def phone(self, number: str) -> VirtualPhone:
        """The phone with this number."""
        if number not in self._phones:
            self._phones[number] = VirtualPhone(number, self._send_reply)
        return self._phones[number]

    def expect(self, to: str, containing: str = "", times: int = 1) -> None:
        """An SMS that is to come."""
        self._expectations.expect(to, containing, times)

    def assert_all_expected(self) -> None:
        """AssertionError if an SMS came that nobody expected, or one that was expected did not."""
        self._expectations.check()

    def fail_next(
        self,
        status: int,
        *,
        code: int | None = None,
        retry_after_s: float | None = None,
        retry_after: str | None = None,
        accepted: bool = False,
        times: int = 1,
        call: Call = "create",
        to: str | None = None,
    ) -> None:
        """Answer the next requests with an error; `accepted`: take the message all the same.

        `to`, here and below: only those about this phone.

        `retry_after`: the header's own text, such as a date.
        """
        header = retry_after if retry_after_s is None else f"{retry_after_s:g}"
        self._faults.add(Fault("answer", call, times, accepted, to, status, code, header))

    def answer_next(
        self,
        body: bytes,
        *,
        status: int = 201,
        headers: Mapping[str, str] | None = None,
        accepted: bool = False,
        times: int = 1,
        call: Call = "create",
        to: str | None = None,
    ) -> None:
        """Answer the next requests with this document, whatever it is."""
        given = headers or {"Content-Type": "application/json"}
        self._faults.add(Fault("body", call, times, accepted, to, status=status, body=body, headers=given))

    def hang_next(
        self, *, accepted: bool = False, times: int = 1, call: Call = "create", to: str | None = None
    ) -> None:
        """Never answer the next requests."""
        self._faults.add(Fault("hang", call, times, accepted, to))

    def reset_next(
        self, *, accepted: bool = False, times: int = 1, call: Call = "create", to: str | None = None
    ) -> None:
        """Break off the connection instead of answering."""
        self._faults.add(Fault("reset", call, times, accepted, to))

    def break_next(self, *, times: int = 1, to: str | None = None) -> None:
        """Take the next messages, and break off in the middle of the answer."""
        self._faults.add(Fault("break", "create", times, True, to))

    def trickle_next(self, every_s: float, *, times: int = 1, to: str | None = None) -> None:
        """Take the next messages, and answer byte by byte, one each `every_s`."""
        self._faults.add(Fault("trickle", "create", times, True, to, every_s=every_s))

    def heal(self) -> None:
        """No fault is to come any more."""
        self._faults.heal()

    async def advance(self, seconds: float) -> None:
        """Move the double's time; everything that this made due has then happened."""
        await self._timeline.advance(seconds)

    async def settle(self) -> None:
        """Wait until nothing is due: every text has arrived and every callback was answered."""
        await self._timeline.settle()

    @property
    def met(self) -> list[Met]:
        """The requests that met a fault so far, in order."""
        return self._faults.met

    @property
    def posted(self) -> list[Posted]:
        """The webhook requests so far, in order."""
        return self._webhooks.posted

    # --- the API

    async def _create(self, request: web.Request) -> web.StreamResponse:
        self._authenticate(request)
        form = {name: str(value) for name, value in (await request.post()).items()}
        fault = self._faults.take("create", form.get("To", ""))
        if fault is not None and not fault.accepted:
            return await fault.befall(request, b"", self._closing)
        record = self._accept(form)
        answer = json.dumps(record.resource()).encode()
        if fault is not None:
            return await fault.befall(request, answer, self._closing)
        return web.Response(body=answer, status=201, content_type="application/json")

    async def _list(self, request: web.Request) -> web.StreamResponse:
        self._authenticate(request)
        fault = self._faults.take("list", request.query.get("To", ""))
        if fault is not None:
            return await fault.befall(request, b"", self._closing)
        listed_to_s = self._now_s() - self.list_lag_s
        listed = [record for record in self.messages if record.created_s <= listed_to_s]
        return web.json_response(listing.page(listed, self.account_sid, request.query))

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        self._authenticate(request)
        for record in self.messages:
            if record.sid == request.match_info["sid"]:
                return web.json_response(record.resource())
        raise Refused(20404)

    def _authenticate(self, request: web.Request) -> None:
        wanted = "Basic " + b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        given = request.headers.get("Authorization", "")
        same = hmac.compare_digest(given.encode(), wanted.encode())
        if not same or request.match_info["account"] != self.account_sid:
            raise Refused(20003)

    # --- a message's life

    def _accept(self, form: Mapping[str, str]) -> Record:
        record = self._record(form)
        self._queue(record)
        return record

    def _queue(self, record: Record) -> None:
        self.messages.append(record)
        self._expectations.note(record)
        self._timeline.plan(min(self.queue_s, record.validity_s), partial(self._send, record, self.queue_s))

    def _record(self, form: Mapping[str, str]) -> Record:
        """The message that a form asks for; `Refused` with Twilio's code for what is wrong with it."""
        to = self._checked_to(form)
        from_, service_sid = self._checked_sender(form)
        record = Record(
            sid=self._next_sid(),
            account_sid=self.account_sid,
            direction="outbound-api",
            to=to,
            from_=from_,
            service_sid=service_sid,
            body=_checked_body(form),
            created_s=self._now_s(),
            callback_url=_checked_callback(form),
            validity_s=_checked_validity_s(form),
            status="accepted" if service_sid else "queued",
        )
        if (service_sid or from_) in self.phone(to).blocked_senders:
            raise Refused(21610, to)
        return record

    def _checked_to(self, form: Mapping[str, str]) -> str:
        to = form.get("To", "")
        if not to:
            raise Refused(21604)
        if not _E164.fullmatch(to):
            raise Refused(21211, to)
        refused_with = self.phone(to).refused_with
        if refused_with is not None:
            raise Refused(refused_with, to)
        return to

    def _checked_sender(self, form: Mapping[str, str]) -> tuple[str, str | None]:
        from_, service_sid = form.get("From"), form.get("MessagingServiceSid")
        if not from_ and not service_sid:
            raise Refused(21603)
        if from_ and from_ != self.number:
            raise Refused(21606)
        if service_sid and service_sid != self.service_sid:
            raise Refused(21701)
        return self.number, service_sid or None

    async def _send(self, record: Record, queue_s: float) -> None:
        """The message's turn in the queue has come, or its validity has run out before that."""
        if queue_s > record.validity_s:
            self._change(record, "failed", 30036)
            return
        record.sent_s = self._now_s()
        self._change(record, "sent")
        self._timeline.plan(self.transit_s, partial(self._arrive, record))

    async def _arrive(self, record: Record) -> None:
        phone = self.phone(record.to)
        if phone.undelivered_with is not None:
            self._change(record, "undelivered", phone.undelivered_with)
            return
        segments = count_segments(record.body)
        text = Text(record.sid, record.to, record.from_, record.body, segments, self._timeline.now_s())
        phone.receive(text)
        if self.on_text is not None:
            self.on_text(text)
        if phone.reported:
            self._change(record, "delivered")

    def _change(
        self,
        record: Record,
        status: Literal["sent", "delivered", "undelivered", "failed"],
        error_code: int | None = None,
    ) -> None:
        record.status = status
        record.error_code = error_code
        if record.callback_url is None or not self.phone(record.to).called_back:
            return
        forms = self._withheld.pop(record.sid, [])
        forms.insert(0, record.status_form())
        if self.callbacks_reversed and status == "sent":
            self._withheld[record.sid] = forms
            return
        for form in forms:
            for _ in range(self.callback_copies):
                self._timeline.plan(
                    self.callback_delay_s, partial(self._call_back, record.callback_url, form)
                )

    async def _call_back(self, url: str, form: dict[str, str]) -> None:
        await self._webhooks.post(url, form)

    async def _send_reply(self, phone: VirtualPhone, body: str) -> int | None:
        to_phone = (record for record in reversed(self.messages) if record.to == phone.number)
        latest = next(to_phone, None)
        record = Record(
            sid=self._next_sid(),
            account_sid=self.account_sid,
            direction="inbound",
            to=self.number,
            from_=phone.number,
            service_sid=latest.service_sid if latest else None,
            body=body,
            created_s=self._now_s(),
            status="received",
            sent_s=self._now_s(),
        )
        self.messages.append(record)
        phone.heed(body, record.service_sid or self.number)
        if self.reply_url is None:
            return None
        posted = await self._webhooks.post(self.reply_url, record.reply_form())
        if posted.status == 200:
            self._answer(record, posted.answer)
        return posted.status

    def _answer(self, reply: Record, twiml: str) -> None:
        """Sends what the webhook's answer says to whoever replied; unless she has blocked the sender."""
        if (reply.service_sid or self.number) in self.phone(reply.from_).blocked_senders:
            return
        for message in ElementTree.fromstring(twiml).iter("Message"):  # noqa: S314 (from the service itself)
            answer = Record(
                sid=self._next_sid(),
                account_sid=self.account_sid,
                direction="outbound-reply",
                to=reply.from_,
                from_=self.number,
                service_sid=reply.service_sid,
                body="".join(message.itertext()),
                created_s=self._now_s(),
            )
            self._queue(answer)

    def _now_s(self) -> float:
        return self._epoch_s + self._timeline.now_s()

    def _next_sid(self) -> str:
        return f"SM{len(self.messages) + 1:032x}"


def _checked_body(form: Mapping[str, str]) -> str:
    body = form.get("Body", "")
    if not body:
        raise Refused(21602)
    if len(body) > _BODY_CHARS_MAX:
        raise Refused(21617)
    return body


def _checked_callback(form: Mapping[str, str]) -> str | None:
    url = form.get("StatusCallback")
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "_" in parts.hostname:
        raise Refused(21609)
    return url


def _checked_validity_s(form: Mapping[str, str]) -> float:
    given = form.get("ValidityPeriod", str(_VALIDITY_S_MAX))
    if not given.isdecimal() or not 1 <= int(given) <= _VALIDITY_S_MAX:
        raise Refused(90007)
    return float(given)
