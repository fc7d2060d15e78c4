"""Which of the pairs of digits answers a medic's next alert by SMS: they rotate, alert by alert."""

from collections.abc import Mapping

PAIRS = 4
"""As many as ``notify.digits`` has."""


class DigitPairs:
    """By medic the pair that she was given last, and when (ms). Forgotten once no answer to it is taken."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._last)

    def next(self, medic_id: str) -> int:
        """The pair for her next alert; ``given`` when it was committed, and not before."""
        at_and_pair = self._last.get(medic_id)
        return 0 if at_and_pair is None else (at_and_pair[1] + 1) % PAIRS

    def given(self, medic_id: str, pair: int, at: int) -> None:
        """She was given this pair at ``at``; news may come in any order."""
        known = self._last.get(medic_id)
        if known is None or known[0] <= at:
            self._last[medic_id] = (at, pair)

    def given_to_all(self, pairs: Mapping[str, int], at: int) -> None:
        for medic_id, pair in pairs.items():
            self.given(medic_id, pair, at)

    def forget(self, medic_id: str) -> None:
        self._last.pop(medic_id, None)

    def forget_before(self, at: int) -> None:
        """Forgets those given before ``at``."""
        self._last = {medic_id: last for medic_id, last in self._last.items() if last[0] >= at}
