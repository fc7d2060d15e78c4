"""What is wrong with a scenario, in one line."""

from collections.abc import Sequence

LISTED_MAX = 20


class ScenarioError(ValueError):
    """A scenario that can not be simulated; the text names file, key and reason in one line.

    ``listed``: a line for each bad row of a CSV, `LISTED_MAX` at most.
    """

    def __init__(self, file: str, key: str, reason: str, listed: Sequence[str] = ()) -> None:
        where = f"{file}: {key}" if key else file
        super().__init__(" ".join(f"{where}: {reason}".split()))
        self.listed = tuple(listed)
        self._said = file, key, reason, self.listed

    def __reduce__(self) -> tuple[type["ScenarioError"], tuple[str, str, str, tuple[str, ...]]]:
        """It comes from other processes too, where some of it shows only when places are drawn."""
        return type(self), self._said
