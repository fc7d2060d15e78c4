"""What goes wrong with the next requests: told beforehand, taken in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from simulations.twilio_double.errors import ERRORS, error_response

Call = Literal["create", "list"]
_CODES_BY_STATUS = {401: 20003, 404: 20404, 429: 20429, 500: 20500, 503: 20503}


@dataclass
class Fault:
    """One kind of trouble for the next `times` requests; `accepted`: the message is taken all the same."""

    kind: Literal["answer", "hang", "reset"]
    call: Call = "create"
    times: int = 1
    accepted: bool = False
    status: int = 500
    code: int | None = None
    retry_after_s: float | None = None

    def answer(self) -> web.Response:
        """The error that it answers with."""
        code = self.code or _CODES_BY_STATUS.get(self.status, 20500)
        words = ERRORS.get(code, (self.status, "An error has occurred"))[1].format(to="")
        return error_response(self.status, code, words, self.retry_after_s)


class Faults:
    """The faults still to come."""

    def __init__(self) -> None:
        self._coming: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._coming.append(fault)

    def heal(self) -> None:
        """All is well from now on."""
        self._coming.clear()

    def take(self, call: Call) -> Fault | None:
        """The fault that this request meets."""
        for fault in self._coming:
            if fault.call == call:
                fault.times -= 1
                if fault.times <= 0:
                    self._coming.remove(fault)
                return fault
        return None
