"""What a group of checks gives back beside a `Check`: a figure that differs and judges nothing, what was
skipped, and a policy beside another in several measures at once."""

from dataclasses import dataclass
from typing import Protocol

from simulations.validation.check import Check, Floats, mean


class Line(Protocol):
    """``agrees``: False ends the run with exit code 1."""

    @property
    def agrees(self) -> bool: ...

    def line(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Noted:
    """Theirs and ours may differ: ``why`` they do."""

    check: Check
    why: str

    @property
    def agrees(self) -> bool:
        return True

    def line(self) -> str:
        return f"note  {self.check.said}; {self.why}"


@dataclass(frozen=True, slots=True)
class Skipped:
    name: str
    reason: str

    @property
    def agrees(self) -> bool:
        return True

    def line(self) -> str:
        return f"skip  {self.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure under one policy less the same under another, incident by incident."""

    difference: Check
    """Its ``theirs`` is 0: no difference."""
    more_is_better: bool

    @property
    def verdict(self) -> str:
        if self.difference.agrees:
            return "not told apart"
        return "better" if (self.difference.low > 0) == self.more_is_better else "worse"

    @property
    def said(self) -> str:
        one = self.difference
        return f"{one.name} {one.ours:+.4g} ({one.low:.3g} to {one.high:.3g}) {self.verdict}"


def difference(measure: str, ours: Floats, other: Floats, *, more_is_better: bool) -> Difference:
    return Difference(mean(measure, 0.0, ours - other), more_is_better)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Theirs: better in all measures. Ours agrees where it is better in some and worse in none.

    Without ``judged`` it is a note, whatever comes out.
    """

    name: str
    differences: tuple[Difference, ...]
    judged: bool = True

    @property
    def reproduced(self) -> bool:
        verdicts = [one.verdict for one in self.differences]
        return "better" in verdicts and "worse" not in verdicts

    @property
    def agrees(self) -> bool:
        return self.reproduced or not self.judged

    def line(self) -> str:
        word = "note " if not self.judged else "ok   " if self.reproduced else "WRONG"
        ours = ", ".join(one.said for one in self.differences)
        n = self.differences[0].difference.n
        return f"{word} {self.name}: theirs better in all {len(self.differences)}, ours {ours}, {n} incidents"
