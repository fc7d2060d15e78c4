"""Which node has whose sockets. The roster is told who can be reached by websocket at all."""

from collections.abc import Iterable

from dispatch.roster.roster import Roster

OWN = ""
"""This node, whatever the id of its life is."""


class Presence:
    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._medics: dict[str, dict[str, None]] = {OWN: {}}
        self._nodes_of: dict[str, int] = {}

    def opened(self, medic_id: str, node_id: str = OWN) -> None:
        """She has a socket there (more)."""
        there = self._medics.setdefault(node_id, {})
        if medic_id in there:
            return
        there[medic_id] = None
        self._nodes_of[medic_id] = self._nodes_of.get(medic_id, 0) + 1
        self._roster.connected(medic_id, True)

    def closed(self, medic_id: str, node_id: str = OWN) -> bool:
        """She has none there any more; True: and none anywhere, by that."""
        there = self._medics.get(node_id, {})
        if medic_id not in there:
            return False
        del there[medic_id]
        self._nodes_of[medic_id] -= 1
        if self._nodes_of[medic_id]:
            return False
        del self._nodes_of[medic_id]
        self._roster.connected(medic_id, False)
        return True

    def all_there(self, node_id: str, medic_ids: Iterable[str]) -> list[str]:
        """These have sockets there, and nobody else; who by that has none anywhere."""
        now = dict.fromkeys(medic_ids)
        for medic_id in now:
            self.opened(medic_id, node_id)
        return self._all_closed(node_id, [one for one in self._medics.get(node_id, ()) if one not in now])

    def forget(self, node_id: str) -> list[str]:
        """A node is dead; who by that has no socket anywhere."""
        vanished = self._all_closed(node_id, list(self._medics.get(node_id, ())))
        self._medics.pop(node_id, None)
        return vanished

    def nodes(self) -> list[str]:
        """The other nodes of which something is known."""
        return [node_id for node_id in self._medics if node_id != OWN]

    def elsewhere(self, medic_id: str) -> bool:
        """Has she a socket on another node?"""
        return self._nodes_of.get(medic_id, 0) > (medic_id in self._medics[OWN])

    def _all_closed(self, node_id: str, medic_ids: Iterable[str]) -> list[str]:
        return [medic_id for medic_id in medic_ids if self.closed(medic_id, node_id)]
