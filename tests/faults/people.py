"""A control room's key and medics with tokens, put into the database before a service starts."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import asyncpg

from dispatch.auth import SCOPES, new_key, new_token, secret_hash
from dispatch.ids import new_id
from dispatch.records import Medic, Place
from dispatch.store import keys, medics, tokens

HERE = {"lat": 52.0907, "lon": 5.1214}
METRE = 1 / 111_195
_NUMBERS = count()


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


def a_place(nth: int) -> dict[str, float]:
    """So far from every other that no medic is near two."""
    return {"lat": HERE["lat"], "lon": HERE["lon"] + nth * 0.5}


async def some_medics(pool: asyncpg.Pool, how_many: int, at: dict[str, float] = HERE) -> list[Person]:
    """All may be asked, at home north of there, the first nearest."""
    people = [Person(new_id(), new_token(), _phone()) for _ in range(how_many)]
    await medics.create(pool, [_medic(one, at, 100 + 5 * i) for i, one in enumerate(people)])
    for one in people:
        assert await tokens.create(pool, one.medic_id, secret_hash=secret_hash(one.token), at=0)
    return people


def _phone() -> str:
    return f"+316{next(_NUMBERS):08d}"


def _medic(one: Person, at: dict[str, float], metres_away: float) -> Medic:
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
        places=(Place("home", at["lat"] + metres_away * METRE, at["lon"]),),
    )


def a_report(reference: str, **changes: Any) -> dict[str, Any]:
    return {"reference": reference, "kind": "other", "position": HERE, **changes}
