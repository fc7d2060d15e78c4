"""What a control room does with its incidents: report, list, change, end."""

from collections.abc import Callable

import asyncpg
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from dispatch import fault_points
from dispatch.api import shapes, views
from dispatch.api.access import Access, forbidden
from dispatch.api.checks import Checks
from dispatch.api.once import HEADER as ONCE
from dispatch.api.once import Once, Remember
from dispatch.api.problem import Problem, invalid
from dispatch.api.reading import limit_of, parsed, query_of, read_body, read_json
from dispatch.api.routes import Operation
from dispatch.auth import Key
from dispatch.core import commands as c
from dispatch.core.lifecycle import INCIDENT_LIVES
from dispatch.ids import may_be_id
from dispatch.records import Record
from dispatch.service.dispatcher import Dispatcher
from dispatch.store import feed, incidents
from dispatch.store.appends import ReferenceTaken

JSON = "application/json"
STATES = {
    "open": ("open",),
    "held": ("held",),
    "live": INCIDENT_LIVES,
    "closed": ("closed",),
    "cancelled": ("cancelled",),
}

_report = msgspec.json.Decoder(shapes.IncidentReport)
_patch = msgspec.json.Decoder(shapes.IncidentPatch)
_more = msgspec.json.Decoder(shapes.MoreMedics)
_nothing = msgspec.json.Decoder(shapes.Nothing)

Command = type[c.Enough | c.Cancel | c.Close | c.Reopen]


class ControlRoomApi:
    """Incidents of the calling key's control room; those of others are not found."""

    def __init__(
        self,
        access: Access,
        dispatcher: Dispatcher,
        checks: Checks,
        once: Once,
        db: asyncpg.Pool,
        now_ms: Callable[[], int],
    ) -> None:
        self._access = access
        self._dispatcher = dispatcher
        self._checks = checks
        self._once = once
        self._db = db
        self._now_ms = now_ms

    def operations(self) -> list[Operation]:
        write, read, one = "incidents:write", "incidents:read", "/v1/incidents/{incident_id}"
        refusals = ("ended", "key_reused")
        return [
            Operation(
                "POST",
                "/v1/incidents",
                self.report,
                "Report an incident; its first alerts go out at once",
                write,
                body=shapes.IncidentReport,
                answer=views.Incident,
                status=201,
                headers=(ONCE,),
                refusals=("reference_in_use", "key_reused", "forbidden"),
                work="incident",
            ),
            Operation(
                "GET",
                "/v1/incidents",
                self.list,
                "Incidents, newest first",
                read,
                answer=views.IncidentPage,
                query=("state", "reference", "limit", "cursor"),
            ),
            Operation("GET", one, self.get, "One incident", read, answer=views.Incident),
            Operation(
                "PATCH",
                one,
                self.update,
                "Change an incident; null empties a field",
                write,
                body=shapes.IncidentPatch,
                answer=views.Incident,
                refusals=("ended",),
                work="change",
            ),
            Operation(
                "POST",
                f"{one}/more",
                self.more,
                "Ask for more medics, now",
                write,
                body=shapes.MoreMedics,
                answer=views.Incident,
                headers=(ONCE,),
                refusals=refusals,
                work="change",
            ),
            *[
                Operation(
                    "POST",
                    f"{one}/{word}",
                    handler,
                    summary,
                    write,
                    answer=views.Incident,
                    headers=(ONCE,),
                    refusals=refusals,
                    work="change",
                )
                for word, handler, summary in (
                    ("enough", self.enough, "Ask nobody more"),
                    ("cancel", self.cancel, "It was no incident after all"),
                    ("close", self.close, "It is over"),
                    ("reopen", self.reopen, "It is not over after all; within 24 h of its end"),
                )
            ],
            Operation("GET", f"{one}/events", self.events, "The audit trail", read, answer=views.EventList),
        ]

    async def report(self, request: Request) -> Response:
        key = await self._access.control_room(request, "incidents:write", "incidents:drill")
        body = await read_json(request)
        sent = parsed(body, _report)
        _ensure_scope(key, drill=bool(sent.drill))
        fault_points.reached("report_read")

        async def do(remember: Remember | None) -> Response:
            # A repeat may come once its times are too long ago, or its kind or code is known no more.
            new = self._checks.new_incident(sent, self._now_ms())
            try:
                record = await self._dispatcher.open(key.control_room_id, key.id, new, remember)
            except ReferenceTaken as taken:
                raise Problem("reference_in_use", incident_id=taken.incident_id) from None
            return _answer(record, 201)

        return await self._once(request, key, body, do, lambda subject: self._as_it_is(key, subject))

    async def list(self, request: Request) -> Response:
        key = await self._access.control_room(request, "incidents:read")
        query = query_of(request, "state", "reference", "limit", "cursor")
        state = query.get("state")
        if state is not None and state not in STATES:
            raise invalid(("state", f"must be one of {', '.join(STATES)}"))
        limit = limit_of(query)
        # Read first, so that what happens meanwhile is followed rather than missed.
        position = await feed.position(self._db, key.control_room_id)
        try:
            page = await incidents.list_page(
                self._db,
                key.control_room_id,
                limit=limit,
                states=STATES[state] if state else None,
                reference=query.get("reference"),
                cursor=query.get("cursor"),
            )
        except ValueError:
            raise invalid(("cursor", "is none that this service gave")) from None
        items = [views.incident(record) for record in page.items]
        return _json(views.IncidentPage(items, page.next_cursor, str(position)))

    async def get(self, request: Request) -> Response:
        key = await self._access.control_room(request, "incidents:read")
        return _answer(await self._own(request, key))

    async def update(self, request: Request) -> Response:
        key, record = await self._to_change(request)
        sent = parsed(await read_json(request), _patch)
        if record.details is None:  # deleted, as happens to ended incidents only
            raise Problem("ended")
        change = self._checks.change(sent, record.details, self._now_ms())
        return _answer(await self._dispatcher.update(record.id, key.id, change))

    async def more(self, request: Request) -> Response:
        key, record = await self._to_change(request)
        body = await read_json(request)
        count = parsed(body, _more).count

        async def do(remember: Remember | None) -> Response:
            remembered = remember(record.id) if remember else None
            return _answer(await self._dispatcher.more(record.id, key.id, count, remembered))

        return await self._once(request, key, body, do, lambda subject: self._as_it_is(key, subject))

    async def enough(self, request: Request) -> Response:
        return await self._command(request, c.Enough)

    async def cancel(self, request: Request) -> Response:
        return await self._command(request, c.Cancel)

    async def close(self, request: Request) -> Response:
        return await self._command(request, c.Close)

    async def reopen(self, request: Request) -> Response:
        return await self._command(request, c.Reopen)

    async def events(self, request: Request) -> Response:
        key = await self._access.control_room(request, "incidents:read")
        record = await self._own(request, key)
        written = await incidents.events_of(self._db, record.id)
        items = [views.event(one.incident_id, one.seq, one.event) for one in written]
        return _json(views.EventList(items))

    async def _command(self, request: Request, kind: Command) -> Response:
        key, record = await self._to_change(request)
        body = await read_body(request)
        if body:
            parsed(body, _nothing)

        async def do(remember: Remember | None) -> Response:
            if kind is c.Reopen and record.details is None:  # nobody could be told where it is
                raise Problem("ended")
            remembered = remember(record.id) if remember else None
            return _answer(await self._dispatcher.command(record.id, key.id, kind, remembered))

        return await self._once(request, key, body, do, lambda subject: self._as_it_is(key, subject))

    async def _to_change(self, request: Request) -> tuple[Key, Record]:
        """The caller's key and its incident; a drill may be changed with either scope."""
        key = await self._access.control_room(request, "incidents:write", "incidents:drill")
        record = await self._own(request, key)
        _ensure_scope(key, drill=record.state.drill)
        return key, record

    async def _own(self, request: Request, key: Key) -> Record:
        incident_id = request.path_params["incident_id"]
        if not may_be_id(incident_id):
            raise Problem("not_found")
        return await self._of(key, incident_id)

    async def _of(self, key: Key, incident_id: str) -> Record:
        record = await self._dispatcher.get(incident_id)
        if record is None or record.control_room_id != key.control_room_id:
            raise Problem("not_found")
        return record

    async def _as_it_is(self, key: Key, incident_id: str) -> Response:
        return _answer(await self._of(key, incident_id))


def _ensure_scope(key: Key, *, drill: bool) -> None:
    """``incidents:write`` alone can not make a drill, ``incidents:drill`` alone nothing else."""
    needed = "incidents:drill" if drill else "incidents:write"
    if needed not in key.scopes:
        raise forbidden("incidents:drill" if drill else "incidents:write")


def _answer(record: Record, status: int = 200) -> Response:
    return _json(views.incident(record), status)


def _json(shape: msgspec.Struct, status: int = 200) -> Response:
    return Response(views.encode(shape), status, media_type=JSON)
