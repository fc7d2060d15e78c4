"""Every failure's answer: RFC 9457 ``application/problem+json``, one table of what can be wrong.

``title`` is for a person, ``code`` for a program. Nothing that was sent comes back in an answer but the names
of fields.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from dispatch.core.commands import Refused

MEDIA_TYPE = "application/problem+json"

STATUS_AND_TITLE: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "The request can not be read"),
    "unauthenticated": (401, "A valid key or token is needed"),
    "wrong_code": (401, "That code is not right, or no longer good"),
    "forbidden": (403, "This is not allowed to you"),
    "not_found": (404, "There is no such thing"),
    "method_not_allowed": (405, "That can not be done here"),
    "key_reused": (409, "This Idempotency-Key belongs to another request"),
    "reference_in_use": (409, "This reference belongs to another incident"),
    "phone_in_use": (409, "A medic with this phone number is registered already"),
    "covered": (409, "Enough medics are on their way"),
    "ended": (409, "This is over"),
    "held": (409, "The incident is held: nobody may set out now"),
    "engaged": (409, "Already engaged on another incident"),
    "not_engaged": (409, "This alert was not accepted, or is over"),
    "too_large": (413, "The body is larger than 64 KiB"),
    "head_too_large": (431, "The head of the request is larger than 32 KiB"),
    "unsupported_media_type": (415, "The body is not of the right content type"),
    "invalid": (422, "The request is understood, but not right"),
    "too_many": (429, "Too many requests: wait a while"),
    "internal": (500, "Something went wrong here; it is in the log"),
    "unavailable": (503, "The service can not do this now; try again"),
}


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field; ``field`` is its path, such as ``position.lat``."""

    field: str
    title: str


class ProblemDocument(msgspec.Struct, frozen=True, omit_defaults=True, rename={"type_": "type"}):
    """The answer's body. A few codes add a member of their own, such as ``incident_id``."""

    type_: str
    title: str
    status: int
    code: str
    detail: str | None = None
    errors: tuple[FieldError, ...] = ()


class Problem(Exception):
    """Ends a request with a problem document. ``more`` are members beside the usual ones."""

    def __init__(
        self,
        code: str,
        *,
        detail: str | None = None,
        errors: tuple[FieldError, ...] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.title = STATUS_AND_TITLE[code]
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.more = more

    def document(self) -> dict[str, Any]:
        kind = f"/docs#{self.code}"
        whole = ProblemDocument(kind, self.title, self.status, self.code, self.detail, self.errors)
        return {**msgspec.to_builtins(whole), **self.more}

    def response(self) -> Response:
        headers = self.headers
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers = {"WWW-Authenticate": "Bearer", **headers}
        return Response(msgspec.json.encode(self.document()), self.status, headers, MEDIA_TYPE)


def invalid(*faults: tuple[str, str]) -> Problem:
    """422 for (field, title) pairs."""
    return Problem("invalid", errors=tuple(FieldError(field, title) for field, title in faults))


def retry_later(code: str, after_s: float, detail: str | None = None) -> Problem:
    """429 ``too_many`` or 503 ``unavailable``, with ``Retry-After`` in whole seconds, at least one."""
    return Problem(code, detail=detail, headers={"Retry-After": str(max(1, round(after_s + 0.5)))})


def refused(error: Refused) -> Problem:
    """409 with the word by which the core refused."""
    return Problem(error.code)
