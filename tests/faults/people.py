"""A control room's key and medics with tokens, put into the database before a service starts."""

from dataclasses import dataclass
from typing import Any

import asyncpg

from dispatch.auth import SCOPES, new_key, new_token, secret_hash
from dispatch.ids import new_id
from dispatch.records import Medic, Place
from dispatch.store import keys, medics, tokens

HERE = {"lat": 52.0907, "lon": 5.1214}
METRE = 1 / 111_195


@dataclass(frozen=True)
class Person:
    medic_id: str
    token: str
    phone: str


async def a_key(pool: asyncpg.Pool, room: str = "Utrecht") -> str:
    room_id = await keys.ensure_control_room(pool, room)
    secret = new_key()
    await keys.create(pool, room_id, secret_hash=secret_hash(secret), scopes=SCOPES, at=0)
    return secret


async def some_medics(pool: asyncpg.Pool, count: int, metres_apart: float = 20) -> list[Person]:
    """All may be asked, at home north of ``HERE``, the first nearest."""
    people = [Person(new_id(), new_token(), f"+316{i:08d}") for i in range(count)]
    await medics.create(pool, [_medic(one, (i + 5) * metres_apart) for i, one in enumerate(people)])
    for one in people:
        await tokens.create(pool, one.medic_id, secret_hash=secret_hash(one.token), at=0)
    return people


def _medic(one: Person, metres_away: float) -> Medic:
    return Medic(
        id=one.medic_id,
        name="Anna de Vries",
        phone=one.phone,
        language="nl",
        skills=("nurse",),
        mode="foot",
        cleared_for_homes=True,
        verified=True,
        suspended=False,
        certificate_until=None,
        registered_by=None,
        available=True,
        places=(Place("home", HERE["lat"] + metres_away * METRE, HERE["lon"]),),
    )


def a_report(reference: str, **changes: Any) -> dict[str, Any]:
    return {"reference": reference, "kind": "other", "position": HERE, **changes}
