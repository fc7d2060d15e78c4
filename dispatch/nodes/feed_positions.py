"""How far this node knows each control room's feed: all before that position is in its memory.

Its own commits move the position on; where another node's lie between, the feed is read from there.
"""


class FeedPositions:
    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        # Own commits beyond what is known: where each begins, and where it ends.
        self._ahead: dict[str, dict[int, int]] = {}
        self._seen: dict[str, int] = {}

    def start(self, positions: dict[str, int]) -> None:
        """All up to here is about to be loaded."""
        self._known = dict(positions)
        self._ahead = {}

    def known(self, room_id: str) -> int:
        return self._known.get(room_id, 0)

    def committed(self, room_id: str, before: int, after: int) -> None:
        """A decision of this node, which moved the feed from ``before`` to ``after``."""
        if before > self.known(room_id):
            self._ahead.setdefault(room_id, {})[before] = after
        else:
            self.read(room_id, after)

    def ended_here(self, room_id: str) -> frozenset[int]:
        """Where decisions of this node end beyond what is known: memory has followed them already."""
        return frozenset(self._ahead.get(room_id, {}).values())

    def read(self, room_id: str, up_to: int) -> None:
        """What others have decided is known up to here."""
        known = max(self.known(room_id), up_to)
        ahead = self._ahead.get(room_id, {})
        while known in ahead:
            known = ahead.pop(known)
        for before in [before for before in ahead if before < known]:
            del ahead[before]
        self._known[room_id] = known

    def behind(self, positions: dict[str, int], *, at_once: bool) -> list[str]:
        """The control rooms whose feeds are to be read to be at ``positions``.

        Without ``at_once`` only what was to be read at the last call too: while nobody else writes, what is
        beyond is this node's own and will be known in a moment.
        """
        wanted = positions if at_once else self._seen
        self._seen = positions
        return [room_id for room_id, position in wanted.items() if position > self.known(room_id)]
