"""Reading a request: its body within bounds and time, its JSON strictly, and what is wrong in words.

msgspec checks types, bounds and unknown fields while it parses; what it says becomes a field's path and a
title for a person. A value that was sent is never quoted.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect, Request

from dispatch.api import shapes
from dispatch.api.problem import Problem, invalid

BODY_BYTES_MAX = 64 * 1024
BODY_S_MAX = 10.0
# JSON forbids most bare control characters in a string (RFC 8259, 7): one comes in one of these ways.
_PERHAPS_CONTROL = re.compile(rb"\\u00[0189]|\\u007[fF]|\\[bf]|\x7f|\xc2[\x80-\x9f]")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
NO_CONTROL = "must hold no control characters"

Shape = TypeVar("Shape")


async def read_body(request: Request) -> bytes:
    """The body: at most 64 KiB, and within ten seconds. Raises Problem."""
    declared = request.headers.get("content-length")
    if declared is not None and declared.isdecimal() and int(declared) > BODY_BYTES_MAX:
        raise Problem("too_large")
    try:
        async with asyncio.timeout(BODY_S_MAX):
            return await _all_of(request)
    except TimeoutError:
        raise Problem("malformed", detail="The body did not come within 10 s.") from None


async def _all_of(request: Request) -> bytes:
    body: bytes = b""
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > BODY_BYTES_MAX:
            raise Problem("too_large")
        if not message.get("more_body"):
            return body


async def read_json(request: Request) -> bytes:
    """The body of a request that must be JSON by its Content-Type. Raises Problem."""
    body = await read_body(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem("unsupported_media_type", detail="Send Content-Type: application/json.")
    return body


def parsed(body: bytes, decoder: "msgspec.json.Decoder[Shape]") -> Shape:
    """``body`` as the decoder's type. Raises Problem: ``malformed``, or ``invalid`` with the field."""
    try:
        value = decoder.decode(body)
    except msgspec.ValidationError as error:
        _ensure_json(body)
        raise invalid(told(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Problem("malformed", detail="The body is not JSON in UTF-8.") from None
    except RecursionError:
        raise Problem("malformed", detail="The body is nested too deeply.") from None
    if _PERHAPS_CONTROL.search(body):
        _refuse_control(value)
    return value


def _ensure_json(body: bytes) -> None:
    """A fault of shape in what is no JSON at all further on is told as what it is."""
    try:
        msgspec.json.decode(body)
    except msgspec.ValidationError:  # a number too large for us is JSON all the same
        return
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Problem("malformed", detail="The body is not JSON in UTF-8.") from None
    except RecursionError:
        raise Problem("malformed", detail="The body is nested too deeply.") from None


def _refuse_control(value: object) -> None:
    for path, text in _texts(msgspec.to_builtins(value, builtin_types=()), ""):
        if CONTROL.search(text):
            raise invalid((path, NO_CONTROL))


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for key, inner in value.items():
                yield from _texts(inner, f"{path}.{key}" if path else str(key))
        case list() | tuple():
            for i, inner in enumerate(value):
                yield from _texts(inner, f"{path}[{i}]")


_WORDS: Mapping[str, str] = {
    "object": "an object",
    "array": "a list",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
    "datetime": "a time such as 2026-11-24T11:58:24Z",
}
_FORMS: Mapping[str, str] = {
    "phone": "must be a phone number such as +31612345678",
    "skills": "must be a word of small letters, digits and _",
    "from": "must be a time of day such as 07:30",
    "to": "must be a time of day such as 07:30",
    "code": "must be six digits",
}
"""What a text with a pattern looks like, by its field."""
_WORDS_OF: Mapping[str, tuple[str, ...]] = {
    "setting": get_args(shapes.Setting),
    "hazard": get_args(shapes.Hazard),
    "language": get_args(shapes.Language),
    "mode": get_args(shapes.Mode),
    "channels": get_args(shapes.Channel),
}
_UNKNOWN = re.compile(r"Object contains unknown field `(.{0,80})")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_TYPE = re.compile(r"Expected `([^`]+)`, got `")
_BOUND = re.compile(r"Expected `(?:int|float)(?: \| null)?` (>=|<=|>|<) (\S+)")
_LENGTH = re.compile(r"Expected `(str|array)(?: \| null)?` of length (>=|<=) (\d+)")
_PATH = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`$")
_BOUND_WORDS = {">=": "at least", "<=": "at most", ">": "above", "<": "below"}


def told(message: str) -> tuple[str, str]:
    """What msgspec says of a fault, as the field's path and a title.

    >>> told("Expected `float`, got `bool` - at `$.position.lat`")
    ('position.lat', 'must be a number')
    """
    at = _PATH.search(message)
    path = at[1] if at else ""
    if found := _UNKNOWN.match(message):
        return _join(path, found[1].split("`")[0]), "is not known here"
    if found := _MISSING.match(message):
        return _join(path, found[1]), "is missing"
    return path, _title(message, path)


def _title(message: str, path: str) -> str:
    if found := _TYPE.match(message):
        words = [_WORDS[word] for word in found[1].split(" | ") if word in _WORDS]
        return "must be " + " or ".join(words)
    if found := _BOUND.match(message):
        swapped = ": are lat and lon swapped?" if path.endswith(("lat", "lon")) else ""
        return f"must be {_BOUND_WORDS[found[1]]} {found[2].removesuffix('.0')}{swapped}"
    if found := _LENGTH.match(message):
        unit = ("character" if found[1] == "str" else "item") + ("" if found[3] == "1" else "s")
        return f"must have {_BOUND_WORDS[found[2]]} {found[3]} {unit}"
    if "RFC3339" in message or "timezone" in message:
        return "must be a time such as 2026-11-24T11:58:24Z"
    field = path.rpartition(".")[2].partition("[")[0]
    if message.startswith("Invalid enum value"):
        return f"must be one of {', '.join(_WORDS_OF[field])}" if field in _WORDS_OF else "is not known here"
    if "matching regex" in message:
        return _FORMS.get(field, "is not of the right form")
    return "is out of range" if "out of range" in message else "is not right"


def _join(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field


def query_of(request: Request, *names: str) -> dict[str, str]:
    """The query's parameters, each known and given once. Raises Problem."""
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=20,
        )
    except ValueError:
        raise Problem("malformed", detail="The query can not be read.") from None
    query: dict[str, str] = {}
    for name, value in pairs:
        if name not in names:
            raise invalid((name[:80], "is not known here"))
        if name in query:
            raise invalid((name, "is given twice"))
        if CONTROL.search(value):
            raise invalid((name, NO_CONTROL))
        query[name] = value
    return query


def limit_of(query: Mapping[str, str], *, default: int = 50, most: int = 200) -> int:
    """``limit`` of a list: 1 to 200. Raises Problem."""
    text = query.get("limit", str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= most):
        raise invalid(("limit", f"must be a whole number from 1 to {most}"))
    return int(text)


def content_of(value: Any) -> Any:
    """JSON values so that equal documents compare equal: 1 and 1.0 are the same number."""
    match value:
        case dict():
            return {key: content_of(inner) for key, inner in value.items()}
        case list():
            return [content_of(inner) for inner in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
