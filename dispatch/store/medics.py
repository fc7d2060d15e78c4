"""Medics' rows. Every change takes the next number of all changes, by which other nodes follow."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import cache
from typing import Any

import asyncpg
import msgspec

from dispatch.records import Fix, Hours, Medic, Place
from dispatch.store import idempotency
from dispatch.store.appends import Remembered
from dispatch.store.statements import Database, statements

ROSTER_BATCH = 2000
"""Enough for the roster to take them over in arrays, few enough to take little memory."""

PAGES_AT_ONCE = 8192
"""64 MiB, as inputs are stored: some 30,000 decisions."""

_SQL = statements("medics")
_JSON = ("quiet_hours", "places")
_encode = msgspec.json.Encoder().encode
_words = msgspec.json.Decoder(tuple[str, ...]).decode
_hours = msgspec.json.Decoder(tuple[Hours, ...]).decode
_places_of_many = msgspec.json.Decoder(list[tuple[Place, ...]]).decode
_new: Callable[..., Medic] = Medic


class PhoneTaken(Exception):
    """These phones belong to medics already; nothing was changed."""

    def __init__(self, phones: Sequence[str]) -> None:
        super().__init__(f"{len(phones)} phones are taken")  # a number is in no log
        self.phones = tuple(phones)


class MedicPage(msgspec.Struct, frozen=True):
    """``next_cursor`` None: there is no more."""

    items: list[Medic]
    next_cursor: str | None


class Changes(msgspec.Struct, frozen=True):
    """What happened to medics up to ``change_no``."""

    medics: list[Medic]
    gone: list[str]
    change_no: int


async def create(pool: asyncpg.Pool, medics: Sequence[Medic], key: Remembered | None = None) -> None:
    """New medics, all or none, and the ``key`` that they were registered with.

    Raises PhoneTaken; two of them with one phone are taken too. Raises KeyTaken.
    """
    async with pool.acquire() as connection:
        try:
            async with connection.transaction():
                change_no = await connection.fetchval(_SQL["next_change"])
                rows = [(*_row(medic), change_no) for medic in medics]
                await connection.copy_records_to_table("medic", records=rows)
                if key is not None:
                    await idempotency.remember(connection, key)
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name != "medic_phone_key":
                raise
            raise PhoneTaken(await _taken(connection, [medic.phone for medic in medics])) from None


async def get(db: Database, medic_id: str) -> Medic | None:
    row = await db.fetchrow(_SQL["get"], medic_id)
    return None if row is None else _medic(row)


async def by_phone(db: Database, phone: str) -> Medic | None:
    row = await db.fetchrow(_SQL["by_phone"], phone)
    return None if row is None else _medic(row)


async def change(pool: asyncpg.Pool, medic_id: str, how: Callable[[Medic], Medic]) -> Medic | None:
    """Her row as ``how`` makes it out of what it is; nobody else changes it meanwhile. None: no such medic.

    Raises PhoneTaken, and what ``how`` raises, having changed nothing.
    """
    async with pool.acquire() as connection:
        try:
            async with connection.transaction():
                # The number first, as in every change: who waits for it holds no row.
                change_no = await connection.fetchval(_SQL["next_change"])
                row = await connection.fetchrow(_SQL["lock"], medic_id)
                if row is None:
                    return None
                medic = how(_medic(row))
                await connection.execute(_SQL["update"], *_row(medic), change_no)
        except asyncpg.UniqueViolationError:
            raise PhoneTaken([medic.phone]) from None
    return medic


async def delete(pool: asyncpg.Pool, medic_id: str) -> bool:
    """Delete means delete: her row, places, fix, tokens, code, and what alerts and decisions say of her.

    False, and nothing is done, where she is deleted already. Nobody may consider her any more: all decisions
    that there are are looked through first, so that no other medic's change waits for that, and some at a
    time, so that it is done however many they are: a statement has its time. (Done again, it begins again.)
    """
    if await get(pool, medic_id) is None:
        return False
    pages: int = await pool.fetchval(_SQL["pages_of_inputs"])
    for page in range(0, pages, PAGES_AT_ONCE):
        await pool.execute(_SQL["forget_inputs"], medic_id, page, page + PAGES_AT_ONCE)
    async with pool.acquire() as connection, connection.transaction():
        change_no = await connection.fetchval(_SQL["next_change"])
        if await connection.fetchval(_SQL["delete"], medic_id) is None:
            return False
        await connection.execute(_SQL["forget_alerts"], medic_id)
        await connection.execute(_SQL["tell_gone"], medic_id, change_no)
    return True


async def forget(db: Database, medic_id: str, incident_ids: Sequence[str]) -> None:
    """What was written of her after she was deleted, by decisions on these incidents."""
    await db.execute(_SQL["forget_alerts"], medic_id)
    await db.execute(_SQL["forget_inputs_of"], medic_id, incident_ids)


async def list_page(db: Database, *, limit: int, cursor: str | None = None) -> MedicPage:
    """In the order of their ids."""
    rows = await db.fetch(_SQL["page"], cursor or "", limit + 1)
    items = _medics(rows[:limit])
    return MedicPage(items, items[-1].id if len(rows) > limit else None)


async def roster(pool: asyncpg.Pool) -> AsyncIterator[list[tuple[Medic, Fix | None]]]:
    """All medics with their last fixes, in batches, as of one moment.

    Ask for ``change_no`` first: ``changes_since`` then misses nothing.
    """
    words, hours = cache(_words), cache(_hours)
    async with pool.acquire() as connection, connection.transaction():
        cursor = await connection.cursor(_SQL["roster"])
        while rows := await cursor.fetch(ROSTER_BATCH):
            yield list(zip(_medics(rows, words, hours), map(_fix, rows), strict=True))


async def change_no(db: Database) -> int:
    """The number of the last change to any medic."""
    number: int = await db.fetchval(_SQL["change_no"])
    return number


async def changes_since(pool: asyncpg.Pool, number: int) -> Changes:
    """What changed after change ``number``, whoever made it."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        now: int = await connection.fetchval(_SQL["change_no"])
        if now == number:
            return Changes([], [], now)
        medics = _medics(await connection.fetch(_SQL["changed"], number))
        gone = [row["medic_id"] for row in await connection.fetch(_SQL["gone"], number)]
    return Changes(medics, gone, now)


async def _taken(connection: Any, phones: Sequence[str]) -> list[str]:
    known = {row["phone"] for row in await connection.fetch(_SQL["phones_known"], phones)}
    return [phone for i, phone in enumerate(phones) if phone in known or phone in phones[:i]]


def _row(medic: Medic) -> list[Any]:
    values = {field: getattr(medic, field) for field in Medic.__struct_fields__}
    for field in _JSON:
        values[field] = _encode(values[field]).decode()
    return list(values.values())


def _medic(row: Any) -> Medic:
    return _medics((row,))[0]


def _medics(
    rows: Sequence[Any],
    words: Callable[[Any], tuple[str, ...]] = tuple,
    hours: Callable[[str], tuple[Hours, ...]] = _hours,
) -> list[Medic]:
    """Rows of ``medic``, whose columns stand in the order of the struct's fields.

    Column by column, and all places in one piece: half the time of one row after the other.
    """
    if not rows:
        return []
    columns: dict[str, Iterable[Any]] = dict(
        zip(Medic.__struct_fields__, zip(*rows, strict=True), strict=False)
    )
    for name in ("skills", "channels", "blocked"):
        columns[name] = map(words, columns[name])
    columns["quiet_hours"] = map(hours, columns["quiet_hours"])
    columns["places"] = _places_of_many(f"[{','.join(columns['places'])}]")
    return list(map(_new, *columns.values()))


def _fix(row: Any) -> Fix | None:
    return None if row["at"] is None else Fix(row["id"], row["lat"], row["lon"], row["accuracy_m"], row["at"])
