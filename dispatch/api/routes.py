"""How an operation is reached: past FastAPI's frame, which answers what is none and draws them for OpenAPI.

A handler takes the request and gives the response; what it raises becomes a problem document here, in one
place. Each operation says for OpenAPI what it takes and gives, as the structs that really parse and write it.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from dispatch import fault_points, logs
from dispatch.api.admission import Admission, Work
from dispatch.api.problem import Problem, refused, retry_later
from dispatch.api.reading import query_of
from dispatch.core.commands import Refused
from dispatch.metrics import Metrics
from dispatch.seldom import Seldom
from dispatch.store.appends import Overloaded, Unavailable
from dispatch.store.trouble import DATABASE_TROUBLE

log = logs.logger(__name__)
_seldom = Seldom()

Handler = Callable[[Request], Awaitable[Response]]
DEVICE = "device"
EVENT_STREAM = "text/event-stream"
DATABASE_AWAY = (Unavailable, *DATABASE_TROUBLE)


@dataclass(frozen=True)
class Operation:
    """One method of one path. ``access``: the scope its key must carry, ``DEVICE``, or None: open to all.

    ``or_status``: another that comes with the same answer. ``refusals``: the codes of 409 and 403 that are
    its own; the usual ones go without saying. ``work``: its class when more comes than can be handled; None:
    answered however much is going on.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    access: str | None
    body: type | None = None
    answer: Any = None
    status: int = 200
    or_status: int | None = None
    media_type: str = "application/json"
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    work: Work | None = "read"

    @property
    def allowed(self) -> frozenset[str]:
        """HEAD too where GET is (RFC 9110, 9.3.2), but for what has no end."""
        headed = self.method == "GET" and self.media_type != EVENT_STREAM
        return frozenset({self.method, "HEAD"} if headed else {self.method})


def answering(operation: Operation, metrics: Metrics, admission: Admission) -> ASGIApp:
    """The handler as an ASGI app: admitted, every failure a problem, every answer counted."""
    work = operation.work
    # What is open to all is asked by load balancers, monitoring and Twilio, which may add words of their own.
    strict = operation.access is not None and not operation.query

    replied = f"replied {operation.method} {operation.path}"

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            if strict and scope["query_string"]:
                query_of(request)
            response = await operation.handler(request)
        except ClientDisconnect:
            return
        except Overloaded:
            response = admission.shed(work or "read").response()
        except Exception as error:
            response = problem_of(error, operation.path).response()
        metrics.answered(operation.method, operation.path, response.status_code)
        await response(scope, receive, send)
        fault_points.reached(replied)

    async def admitted(scope: Scope, receive: Receive, send: Send) -> None:
        if not admission.takes(work or "read"):
            metrics.answered(operation.method, operation.path, 503)
            await admission.shed(work or "read").response()(scope, receive, send)
            return
        admission.in_flight += 1
        try:
            await answer(scope, receive, send)
        finally:
            admission.in_flight -= 1

    return answer if work is None else admitted


class Shortcut:
    """Straight to the operation; all else, 404 and 405 too, by the frame.

    A report passes five layers of the frame less on its way in, a twentieth of the time to a phone.
    """

    def __init__(
        self, operations: Sequence[Operation], frame: ASGIApp, metrics: Metrics, admission: Admission
    ) -> None:
        self._straight: dict[tuple[str, str], ASGIApp] = {}
        self._with_id: dict[str, dict[tuple[str, str], tuple[str, ASGIApp]]] = {}
        """By what stands before the id; by the method and what stands after it; the id's name too."""
        for one in operations:
            app = answering(one, metrics, admission)
            before, opens, rest = one.path.partition("{")
            name, _, after = rest.partition("}")
            if opens:
                self._with_id.setdefault(before, {})[one.method, after] = (name, app)
            else:
                self._straight[one.method, one.path] = app
        self._no_head = {one.path for one in operations if one.method == "GET" and "HEAD" not in one.allowed}
        self._frame = frame

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD" and scope["path"] not in self._no_head:
            scope = {**scope, "method": "GET"}  # a copy: by its own scope the server leaves out the body
        app = self._straight.get((scope["method"], scope["path"])) or self._about_one(scope) or self._frame
        await app(scope, receive, send)

    def _about_one(self, scope: Scope) -> ASGIApp | None:
        """The operation whose path has an id in it, which is put into the scope as a router does."""
        path: str = scope["path"]
        for before, operations in self._with_id.items():
            if path.startswith(before):
                given, slash, word = path[len(before) :].partition("/")
                name, app = operations.get((scope["method"], slash + word), ("", None))
                if given and app is not None:
                    scope["path_params"] = {name: given}
                    return app
        return None


def problem_of(error: Exception, route: str) -> Problem:
    """What the client is told. What is our fault or the database's is logged, without anybody's data."""
    match error:
        case Problem():
            return error
        case Refused():
            return refused(error)
        case LookupError() if type(error) is LookupError:  # not a KeyError of ours: that is a fault
            return Problem("not_found")
        case _ if isinstance(error, DATABASE_AWAY):
            why = logs.describe(error)
            if times := _seldom.times((route, why)):
                log.warning("not available", route=route, error=why, times=times)
            return retry_later("unavailable", 2)
        case _:
            log.error("failed", route=route, exc_info=error)
            return Problem("internal")


async def framework_problem(request: Request, error: Exception) -> Response:
    """404 for no such path, 405 with ``Allow``: the frame's own refusals, in our form."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = ", ".join(sorted(_allowed(request.app.routes, request.scope)))
        return Problem("method_not_allowed", headers={"Allow": allowed}).response()
    if isinstance(error, HTTPException) and error.status_code == 404:
        return Problem("not_found").response()
    log.error("failed", route="", exc_info=error)
    return Problem("internal").response()


def _allowed(routes: Iterable[BaseRoute], scope: Scope) -> set[str]:
    """All methods of a path (RFC 9110, 10.2.1): the frame knows those of the first route that has it."""
    found: set[str] = set()
    for route in routes:
        if route.matches(scope)[0] is Match.PARTIAL:
            found |= getattr(route, "methods", None) or set()
    return found
