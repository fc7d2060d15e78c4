"""All that is kept of how an incident went: its decisions, what each knew, and the policies it ran by."""

import asyncpg
import msgspec

from dispatch.core import events as e
from dispatch.core.policy import Policy
from dispatch.records import Decided
from dispatch.store.feed import decode_events
from dispatch.store.statements import statements

_SQL = statements("history")
_decode_policy = msgspec.json.Decoder(Policy).decode


class History(msgspec.Struct, frozen=True):
    """``policies`` by hash. ``asked``: the medic of each alert that still has one, by its number."""

    incident_id: str
    control_room: str
    decisions: tuple[Decided, ...]
    policies: dict[str, Policy]
    asked: dict[int, str]


async def of(connection: asyncpg.Connection, incident_id: str) -> History | None:
    """The history as of one moment; None where there is no such incident."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        control_room = await connection.fetchval(_SQL["incident"], incident_id)
        if control_room is None:
            return None
        rows = await connection.fetch(_SQL["decisions"], incident_id)
        decisions = tuple(
            Decided(
                row["seq"],
                tuple(decode_events(row["events"])),
                None if row["body"] is None else row["body"].encode(),
            )
            for row in rows
        )
        asked = {row["n"]: row["medic_id"] for row in await connection.fetch(_SQL["asked"], incident_id)}
        policies = await connection.fetch(_SQL["policies"], list(_hashes(decisions)))
    known = {row["hash"]: _decode_policy(row["body"]) for row in policies}
    return History(incident_id, control_room, decisions, known, asked)


def _hashes(decisions: tuple[Decided, ...]) -> dict[str, None]:
    """Of the policies that the events name."""
    return {
        event.policy: None
        for decided in decisions
        for event in decided.events
        if isinstance(event, e.IncidentOpened | e.IncidentUpdated) and event.policy is not None
    }
