"""What a medic's device asks over HTTP: enrolment, herself, her position, her alerts."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import asyncpg
import msgspec
from msgspec import UNSET
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from dispatch.api import shapes, views
from dispatch.api.access import Access
from dispatch.api.checks import fix_of, hours_of, places_of, time_zone_of
from dispatch.api.problem import Problem, retry_later
from dispatch.api.reading import parsed, read_body, read_json
from dispatch.api.routes import DEVICE, Handler, Operation
from dispatch.api.socket import Hub
from dispatch.api.throttle import Throttle
from dispatch.auth import TokenDesk
from dispatch.core.events import Answer
from dispatch.enrolment import Enrolment
from dispatch.records import Medic
from dispatch.service.dispatcher import Dispatcher
from dispatch.store import medics, tokens

Word: TypeAlias = Answer | Literal["seen"]
WORDS: tuple[Word, ...] = ("seen", "accept", "decline", "arrived", "finished", "unsafe")
CHANNEL = "websocket"
"""Answers over HTTP come from the same device as those over its socket, and count as given there."""

_ask = msgspec.json.Decoder(shapes.Enrolment)
_confirm = msgspec.json.Decoder(shapes.EnrolmentConfirmation)
_patch = msgspec.json.Decoder(shapes.MePatch)
_fix = msgspec.json.Decoder(shapes.Fix)
_nothing = msgspec.json.Decoder(shapes.Nothing)


class Tries:
    """How often enrolment may be tried: for each phone, and for each address that asks."""

    def __init__(self) -> None:
        self._asks = (Throttle(3, 300), Throttle(30, 20))
        self._confirms = (Throttle(10, 60), Throttle(60, 10))

    def ask(self, phone: str, address: str) -> None:
        _take(self._asks, phone, address)

    def confirm(self, phone: str, address: str) -> None:
        _take(self._confirms, phone, address)


def _take(throttles: tuple[Throttle, Throttle], phone: str, address: str) -> None:
    """Raises Problem ``too_many``; registered or not, a phone is counted the same."""
    for throttle, key in zip(throttles, (phone, address), strict=True):
        if wait_s := throttle.wait_s(key):
            raise retry_later("too_many", wait_s)


class MedicApi:
    def __init__(
        self,
        access: Access,
        dispatcher: Dispatcher,
        enrolment: Enrolment,
        desk: TokenDesk,
        hub: Hub,
        pool: asyncpg.Pool,
        now_ms: Callable[[], int],
    ) -> None:
        self._access = access
        self._dispatcher = dispatcher
        self._enrolment = enrolment
        self._desk = desk
        self._hub = hub
        self._pool = pool
        self._now_ms = now_ms
        self._tries = Tries()

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "POST",
                "/v1/enrolments",
                self.enrol,
                "Ask for a code by SMS; the answer is the same for every phone",
                None,
                body=shapes.Enrolment,
                answer=shapes.Nothing,
                status=202,
                refusals=("too_many",),
            ),
            Operation(
                "POST",
                "/v1/enrolments/confirm",
                self.confirm,
                "Change a code for a device's token",
                None,
                body=shapes.EnrolmentConfirmation,
                answer=views.Enrolled,
                refusals=("wrong_code", "too_many"),
            ),
            Operation("GET", "/v1/me", self.get, "Herself", DEVICE, answer=views.Me),
            Operation(
                "PATCH",
                "/v1/me",
                self.update,
                "Change her own settings; not to be available ends an open alert",
                DEVICE,
                body=shapes.MePatch,
                answer=views.Me,
            ),
            Operation("DELETE", "/v1/me", self.delete, "Delete her; delete means delete", DEVICE, status=204),
            Operation(
                "DELETE", "/v1/me/tokens", self.sign_out, "Sign every device of hers out", DEVICE, status=204
            ),
            Operation(
                "PUT",
                "/v1/me/position",
                self.position,
                "Where she is",
                DEVICE,
                body=shapes.Fix,
                status=204,
                work="position",
            ),
            Operation(
                "GET",
                "/v1/me/alerts",
                self.alerts,
                "Her alerts of live incidents, as the socket gives them, with their state",
                DEVICE,
                answer=views.MyAlerts,
                work="answer",
            ),
            *[
                Operation(
                    "POST",
                    f"/v1/me/alerts/{{alert_id}}/{word}",
                    self._answering(word),
                    f"Tell: {word}",
                    DEVICE,
                    answer=views.AlertState,
                    refusals=("covered", "ended", "held", "engaged", "not_engaged"),
                    work="answer",
                )
                for word in WORDS
            ],
        ]

    async def enrol(self, request: Request) -> Response:
        sent = parsed(await read_json(request), _ask)
        self._tries.ask(sent.phone, _address(request))
        if not self._enrolment.ask(sent.phone):
            raise retry_later("unavailable", 10)
        return Response(b"{}", 202, media_type="application/json")

    async def confirm(self, request: Request) -> Response:
        sent = parsed(await read_json(request), _confirm)
        self._tries.confirm(sent.phone, _address(request))
        enrolled = await self._enrolment.confirm(sent.phone, sent.code)
        if enrolled is None:
            raise Problem("wrong_code")
        return _json(views.Enrolled(*enrolled))

    async def get(self, request: Request) -> Response:
        return _json(views.me(await self._herself(request)))

    async def update(self, request: Request) -> Response:
        medic_id = await self._access.medic(request)
        sent = parsed(await read_json(request), _patch)
        given = _given(sent)
        was: list[Medic] = []

        def how(medic: Medic) -> Medic:
            was.append(medic)
            return replace(medic, **given, blocked=_still_blocked(medic, sent))

        medic = await medics.change(self._pool, medic_id, how)
        if medic is None:
            raise Problem("unauthenticated")
        await self._dispatcher.medic_changed(medic, before=was[-1])
        return _json(views.me(medic))

    async def delete(self, request: Request) -> Response:
        medic_id = await self._access.medic(request, leaves=True)
        await self._dispatcher.delete_medic(medic_id)
        self._desk.forget(medic_id)
        return Response(status_code=204)

    async def sign_out(self, request: Request) -> Response:
        medic_id = await self._access.medic(request, leaves=True)
        await tokens.revoke_all(self._pool, medic_id)
        self._desk.forget(medic_id)
        self._dispatcher.signed_out(medic_id)
        return Response(status_code=204)

    async def position(self, request: Request) -> Response:
        medic_id = await self._access.medic(request)
        sent = parsed(await read_json(request), _fix)
        await self._dispatcher.moved(fix_of(medic_id, sent, self._now_ms()))
        return Response(status_code=204)

    async def alerts(self, request: Request) -> Response:
        medic_id = await self._access.medic(request)
        shown = await self._dispatcher.alerts_of(medic_id)
        items = [views.my_alert(one.message, one.state) for one in shown]
        return _json(views.MyAlerts(items))

    def _answering(self, word: Word) -> Handler:
        async def handler(request: Request) -> Response:
            return await self._answer(request, word)

        handler.__name__ = word
        return handler

    async def _answer(self, request: Request, word: Word) -> Response:
        medic_id = await self._access.medic(request)
        body = await read_body(request)
        if body:
            parsed(body, _nothing)
        alert_id = request.path_params["alert_id"]
        if word == "seen":
            return _json(views.AlertState(alert_id, await self._dispatcher.seen(medic_id, alert_id, CHANNEL)))
        told = await self._dispatcher.answer(medic_id, alert_id, word, CHANNEL)
        self._hub.tell_answered(medic_id, told)
        return _json(views.AlertState(*told[0]))

    async def _herself(self, request: Request) -> Medic:
        medic = await medics.get(self._pool, await self._access.medic(request))
        if medic is None:
            raise Problem("unauthenticated")
        return medic


def _given(sent: shapes.MePatch) -> dict[str, Any]:
    """The fields that were given, as her record has them. Raises Problem."""
    given = {name: value for name in sent.__struct_fields__ if (value := getattr(sent, name)) is not UNSET}
    if given.get("time_zone") is not None:
        time_zone_of(given["time_zone"])
    if "quiet_hours" in given:
        given["quiet_hours"] = hours_of(given["quiet_hours"])
    if "places" in given:
        given["places"] = places_of(given["places"])
    if "channels" in given:
        given["channels"] = tuple(dict.fromkeys(given["channels"]))
    return given


def _still_blocked(medic: Medic, sent: shapes.MePatch) -> tuple[str, ...]:
    """Naming a channel again tries it again: she may have opted in at her carrier."""
    named = sent.channels if isinstance(sent.channels, tuple) else ()
    return tuple(channel for channel in medic.blocked if channel not in named)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _json(shape: msgspec.Struct) -> Response:
    return Response(views.encode(shape), media_type="application/json")
