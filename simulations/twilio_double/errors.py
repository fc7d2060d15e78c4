"""Twilio's error bodies: `{code, message, more_info, status}`."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

# code -> (HTTP status, our words for it)
ERRORS: dict[int, tuple[int, str]] = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too many requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service unavailable"),
    21211: (400, "The 'To' number {to} is not a valid phone number"),
    21408: (400, "Sending to the region of {to} has not been enabled"),
    21602: (400, "A message body is required"),
    21603: (400, "A 'From' number or a messaging service is required"),
    21604: (400, "A 'To' phone number is required"),
    21606: (400, "The 'From' number is not one of this account's that can send messages"),
    21608: (400, "The number {to} is unverified; trial accounts send to verified numbers only"),
    21609: (400, "The 'StatusCallback' is not a valid URL"),
    21610: (400, "The recipient {to} has unsubscribed from this sender"),
    21611: (400, "The 'From' number has exceeded the longest message queue"),
    21612: (400, "Messages from this sender cannot be routed to {to}"),
    21614: (400, "The 'To' number {to} is not a mobile number"),
    21617: (400, "The message body exceeds the 1600 character limit"),
    21701: (404, "The messaging service does not exist"),
    90007: (400, "The validity period is outside 1 to 36000 seconds"),
}


class Refused(Exception):
    """A request that Twilio refuses with `code`."""

    def __init__(self, code: int, to: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.to = to

    def response(self) -> web.Response:
        """The answer to give."""
        status, words = ERRORS[self.code]
        return error_response(status, self.code, words.format(to=self.to))


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with the error body of whatever refused the request."""
    try:
        return await handler(request)
    except Refused as refused:
        return refused.response()


def error_response(status: int, code: int, message: str, retry_after: str | None = None) -> web.Response:
    """An error body as Twilio forms it, with `Retry-After` where given."""
    body: dict[str, Any] = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return web.json_response(body, status=status, headers=headers)
