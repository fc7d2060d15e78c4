"""Which SMS a test expects: any other one fails it, and so does one that never came."""

from __future__ import annotations

from dataclasses import dataclass

from simulations.twilio_double.records import Record


@dataclass
class _Expected:
    to: str
    containing: str
    times: int

    def fits(self, record: Record) -> bool:
        return self.times > 0 and record.to == self.to and self.containing in record.body


class Expectations:
    """Expected and unexpected messages of one test."""

    def __init__(self) -> None:
        self._expected: list[_Expected] = []
        self.unexpected: list[Record] = []

    def expect(self, to: str, containing: str, times: int) -> None:
        self._expected.append(_Expected(to, containing, times))

    def note(self, record: Record) -> None:
        """A message was accepted: tick it off, or keep it as unexpected."""
        for expected in self._expected:
            if expected.fits(record):
                expected.times -= 1
                return
        self.unexpected.append(record)

    def check(self) -> None:
        """AssertionError naming what came unexpected and what never came."""
        missing = [expected for expected in self._expected if expected.times > 0]
        problems = [f"nobody expected an SMS to {one.to}: {one.body!r}" for one in self.unexpected]
        problems += [f"no SMS to {one.to} containing {one.containing!r} ({one.times}x)" for one in missing]
        if problems:
            raise AssertionError("; ".join(problems))
