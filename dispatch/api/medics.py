"""Medics as control rooms see them: register, list, change, suspend.

Medics are shared by all control rooms of a deployment. The one that registered a medic changes her; any may
suspend her, or lift that; her phone number is shown to the one that registered her alone.
"""

from collections.abc import Callable

import asyncpg
import msgspec
from msgspec import UNSET
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from dispatch.api import shapes, views
from dispatch.api.access import Access
from dispatch.api.checks import any_time
from dispatch.api.once import HEADER as ONCE
from dispatch.api.once import Once, Remember
from dispatch.api.problem import Problem, invalid
from dispatch.api.reading import limit_of, parsed, query_of, read_json
from dispatch.api.routes import Operation
from dispatch.auth import Key
from dispatch.ids import may_be_id, new_id
from dispatch.records import Medic
from dispatch.service.dispatcher import Dispatcher
from dispatch.store import medics

_new = msgspec.json.Decoder(shapes.NewMedic)
_patch = msgspec.json.Decoder(shapes.MedicPatch)
SMS = "sms"


class MedicsApi:
    def __init__(self, access: Access, dispatcher: Dispatcher, once: Once, pool: asyncpg.Pool) -> None:
        self._access = access
        self._dispatcher = dispatcher
        self._once = once
        self._pool = pool

    def operations(self) -> list[Operation]:
        scope, one = "medics:manage", "/v1/medics/{medic_id}"
        return [
            Operation(
                "POST",
                "/v1/medics",
                self.register,
                "Register a medic",
                scope,
                body=shapes.NewMedic,
                answer=views.Medic,
                status=201,
                headers=(ONCE,),
                refusals=("phone_in_use", "key_reused"),
            ),
            Operation(
                "GET",
                "/v1/medics",
                self.list,
                "All medics, by id",
                scope,
                answer=views.MedicPage,
                query=("limit", "cursor"),
            ),
            Operation("GET", one, self.get, "One medic", scope, answer=views.Medic),
            Operation(
                "PATCH",
                one,
                self.update,
                "Change a medic of one's own, or suspend anybody's",
                scope,
                body=shapes.MedicPatch,
                answer=views.Medic,
                refusals=("phone_in_use", "forbidden"),
            ),
        ]

    async def register(self, request: Request) -> Response:
        key = await self._access.control_room(request, "medics:manage")
        body = await read_json(request)
        medic = _medic_of(parsed(body, _new), key)

        async def do(remember: Remember | None) -> Response:
            try:
                await medics.create(self._pool, [medic], remember(medic.id) if remember else None)
            except medics.PhoneTaken:
                raise Problem("phone_in_use") from None
            await self._dispatcher.medic_changed(medic, before=None)
            return _answer(medic, key, 201)

        async def again(medic_id: str) -> Response:
            return _answer(await self._known(medic_id), key)

        return await self._once(request, key, body, do, again)

    async def list(self, request: Request) -> Response:
        key = await self._access.control_room(request, "medics:manage")
        query = query_of(request, "limit", "cursor")
        cursor = query.get("cursor")
        if cursor is not None and not may_be_id(cursor):
            raise invalid(("cursor", "is none that this service gave"))
        page = await medics.list_page(self._pool, limit=limit_of(query), cursor=cursor)
        items = [views.medic(medic, for_room=key.control_room_id) for medic in page.items]
        return _json(views.MedicPage(items, page.next_cursor))

    async def get(self, request: Request) -> Response:
        key = await self._access.control_room(request, "medics:manage")
        return _answer(await self._known(request.path_params["medic_id"]), key)

    async def update(self, request: Request) -> Response:
        key = await self._access.control_room(request, "medics:manage")
        sent = parsed(await read_json(request), _patch)
        before = await self._known(request.path_params["medic_id"])
        try:
            medic = await medics.change(self._pool, before.id, _changing(sent, key))
        except medics.PhoneTaken:
            raise Problem("phone_in_use") from None
        if medic is None:
            raise Problem("not_found")
        await self._dispatcher.medic_changed(medic, before=before)
        return _answer(medic, key)

    async def _known(self, medic_id: str) -> Medic:
        medic = await medics.get(self._pool, medic_id) if may_be_id(medic_id) else None
        if medic is None:
            raise Problem("not_found")
        return medic


def _medic_of(sent: shapes.NewMedic, key: Key) -> Medic:
    return Medic(
        id=new_id(),
        name=sent.name,
        phone=sent.phone,
        language=sent.language,
        skills=tuple(dict.fromkeys(sent.skills)),
        mode=sent.mode,
        cleared_for_homes=sent.cleared_for_homes,
        verified=sent.verified,
        suspended=sent.suspended,
        certificate_until=None
        if sent.certificate_until is None
        else any_time("certificate_until", sent.certificate_until),
        registered_by=key.control_room_id,
    )


def _changing(sent: shapes.MedicPatch, key: Key) -> Callable[[Medic], Medic]:
    given = {name: value for name in sent.__struct_fields__ if (value := getattr(sent, name)) is not UNSET}
    if given.get("certificate_until") is not None:
        given["certificate_until"] = any_time("certificate_until", given["certificate_until"])
    if "skills" in given:
        given["skills"] = tuple(dict.fromkeys(given["skills"]))

    def how(medic: Medic) -> Medic:
        if medic.registered_by != key.control_room_id and given.keys() - {"suspended"}:
            raise Problem(
                "forbidden", detail="Another control room registered her: only `suspended` is yours."
            )
        changed = replace(medic, **given)
        if changed.phone == medic.phone:
            return changed
        # What her carrier blocked, it blocked for the number that she had.
        return replace(changed, blocked=tuple(channel for channel in medic.blocked if channel != SMS))

    return how


def _answer(medic: Medic, key: Key, status: int = 200) -> Response:
    return _json(views.medic(medic, for_room=key.control_room_id), status)


def _json(shape: msgspec.Struct, status: int = 200) -> Response:
    return Response(views.encode(shape), status, media_type="application/json")
