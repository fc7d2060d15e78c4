"""The model of the database gives the answers, the refusals and in the end the rows that Postgres gives.

The same operations go through the same store modules on both. That the comparison would see a wrong model is
shown too: each of some mistakes put into it is found.
"""

import random
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dispatch.store import policies
from tests.simulator import mistakes
from tests.simulator.database import ModelDatabase
from tests.simulator.database_pool import ModelPool
from tests.simulator.lives import POLICIES
from tests.simulator.store_plays import OPERATIONS, ROOMS, Operation, Play
from tests.store import made

TABLES = [table.name for table in ModelDatabase(lambda: 0).tables.all]
ONE_ROW = ("roster", "bus", "service")
SEEDS = range(8)
LONG = 160

numbers = st.integers(0, 63)
names = st.sampled_from([name for name, often in OPERATIONS.items() for _ in range(often)])
operations = st.lists(st.builds(Operation, names, numbers, numbers, numbers), min_size=5, max_size=60)

Played = tuple[list[Any], dict[str, list[Any]]]


@pytest.fixture
async def few_connections(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """Fewer plans are made than with many."""
    pool = await asyncpg.create_pool(database_url, min_size=3, max_size=3)
    yield pool
    await pool.close()


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
@given(operations=operations)
async def test_whatever_is_asked(operations: list[Operation], few_connections: asyncpg.Pool) -> None:
    compare(await on_the_model(operations), await on_postgres(operations, few_connections))


async def test_over_long_plays(few_connections: asyncpg.Pool) -> None:
    for seed in SEEDS:
        compare(await on_the_model(drawn(seed)), await on_postgres(drawn(seed), few_connections))


@pytest.mark.parametrize("mistake", mistakes.ALL, ids=lambda mistake: mistake.__name__)
async def test_a_mistake_in_the_model_is_seen(mistake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held against the model as it is, which gives in the same plays what Postgres gives."""
    right = [await on_the_model(drawn(seed)) for seed in SEEDS]
    mistake(monkeypatch)
    try:
        wrong = [await on_the_model(drawn(seed)) for seed in SEEDS]
    except (LookupError, TypeError, ValueError):  # what the store can not read is seen too
        return
    assert wrong != right


async def on_the_model(operations: list[Operation]) -> Played:
    model = ModelDatabase(lambda: made.AT)
    for room in ROOMS:
        model.add_control_room(room)
    pool = ModelPool(model)
    await policies.keep(pool, [made.POLICY, *POLICIES])  # type: ignore[arg-type]
    answers = await Play(pool).run(operations)
    return answers, {table: in_order(table, model.rows(table)) for table in TABLES}


async def on_postgres(operations: list[Operation], pool: asyncpg.Pool) -> Played:
    await pool.execute(";".join(f"delete from {table}" for table in reversed(TABLES) if table not in ONE_ROW))
    await pool.execute(
        "update roster set change_no = 0; update bus set no = 0; update service set paused_at = null"
    )
    await pool.executemany("insert into control_room (id, name) values ($1, $1)", [(room,) for room in ROOMS])
    await policies.keep(pool, [made.POLICY, *POLICIES])
    answers = await Play(pool).run(operations)
    rows = {table: await pool.fetch(f"select * from {table}") for table in TABLES}
    return answers, {table: in_order(table, map(tuple, found)) for table, found in rows.items()}


def compare(model: Played, postgres: Played) -> None:
    """One by one, so that what differs is seen."""
    for mine, its in zip(model[0], postgres[0], strict=True):
        assert mine == its
    for table in TABLES:
        assert model[1][table] == postgres[1][table], table


def in_order(table: str, rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """But for the times, which are the databases' own."""
    shown: dict[str, Callable[..., tuple[Any, ...]]] = {
        "node": lambda node_id, name, lease_until, started_at: (node_id, name, lease_until > started_at),
        "service": lambda one, paused_at: (one, paused_at is not None),
        "news": lambda no, node_id, _, body: (no, node_id, body),
    }
    return sorted((shown[table](*row) if table in shown else row for row in rows), key=repr)


def drawn(seed: int) -> list[Operation]:
    """A long sequence by chance."""
    chance = random.Random(seed)
    chosen = chance.choices(list(OPERATIONS), list(OPERATIONS.values()), k=LONG)
    return [Operation(name, *(chance.randrange(64) for _ in range(3))) for name in chosen]
