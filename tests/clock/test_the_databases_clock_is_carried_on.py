"""The time that decides is Postgres', whatever a node's wall clock says, and it never runs back."""

import time
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.clock import ROUND_TRIPS, Clock

START_MS = 1_773_144_000_000
MS = 1_000_000


class StandIn:
    """A database whose clock and distance a test sets. Unlike the real one it answers in whole milliseconds,
    and each question takes exactly as long as the last."""

    def __init__(self):
        self.monotonic_ns = 500 * MS
        self.ahead_ns = START_MS * MS
        self.there_ns = 0
        self.back_ns = 0
        self.broken = False

    def monotonic(self):
        return self.monotonic_ns

    @property
    def now_ms(self):
        return (self.monotonic_ns + self.ahead_ns) // MS

    def passes(self, ms):
        self.monotonic_ns += ms * MS

    def steps(self, ms):
        self.ahead_ns += ms * MS

    @asynccontextmanager
    async def acquire(self):
        if self.broken:
            raise OSError("no way to the database")
        yield self

    async def fetchval(self, query):
        self.monotonic_ns += self.there_ns
        read_us = (self.monotonic_ns + self.ahead_ns) // 1000
        self.monotonic_ns += self.back_ns
        return read_us


@pytest.fixture
def database():
    return StandIn()


async def clock_of(database):
    return await Clock.synchronised(database, database.monotonic)


async def test_it_says_what_postgres_says(pool):
    clock = await Clock.synchronised(pool)
    before = await pool.fetchval("select floor(extract(epoch from clock_timestamp()) * 1000)::bigint")
    says = clock.now_ms()
    after = await pool.fetchval("select ceil(extract(epoch from clock_timestamp()) * 1000)::bigint")
    # Off by half of the quickest of a few round trips at most; on one machine that is well below 1 s.
    assert before - 500 <= says <= after + 500


async def test_a_stepped_wall_clock_does_not_matter(pool, monkeypatch):
    clock = await Clock.synchronised(pool)
    true_ms = await pool.fetchval("select (extract(epoch from clock_timestamp()) * 1000)::bigint")
    for step_s in (-86_400.0, 86_400.0):
        wall = time.time() + step_s
        monkeypatch.setattr(time, "time", lambda wall=wall: wall)
        monkeypatch.setattr(time, "time_ns", lambda wall=wall: int(wall * 1e9))
        await clock.resync(pool)
        assert true_ms - 500 <= clock.now_ms() <= true_ms + 60_000
        monkeypatch.undo()


async def test_it_runs_on_between_readings(database):
    clock = await clock_of(database)
    assert clock.now_ms() == database.now_ms == START_MS + 500
    database.passes(3_600_000)
    assert clock.now_ms() == database.now_ms


async def test_it_takes_the_middle_of_the_round_trip(database):
    database.there_ns, database.back_ns = 10 * MS, 30 * MS
    clock = await clock_of(database)
    assert clock.now_ms() == database.now_ms - 10  # read 30 ms ago, of which it took 20 for granted


async def test_the_quickest_round_trip_counts(database):
    trips = iter([400, 300, 2, 350, 380])

    class Uneven(StandIn):
        async def fetchval(self, query):
            self.there_ns = next(trips) * MS
            return await super().fetchval(query)

    uneven = Uneven()
    clock = await clock_of(uneven)
    assert abs(clock.now_ms() - uneven.now_ms) <= 1
    assert next(trips, None) is None, f"{ROUND_TRIPS} round trips were expected"


async def test_a_slow_round_trip_that_agrees_corrects_nothing(database):
    clock = await clock_of(database)
    database.there_ns, database.back_ns = 900 * MS, 0
    await clock.resync(database)
    assert clock.now_ms() == database.now_ms


async def test_found_behind_it_is_put_forward_at_once(database):
    clock = await clock_of(database)
    database.steps(5_000)
    await clock.resync(database)
    assert clock.now_ms() == database.now_ms


async def test_found_ahead_it_runs_at_half_speed_until_the_database_has_caught_up(database):
    clock = await clock_of(database)
    before = clock.now_ms()
    database.steps(-10_000)
    await clock.resync(database)
    assert clock.now_ms() == before
    database.passes(10_000)
    assert clock.now_ms() == before + 5_000 == database.now_ms + 5_000
    database.passes(10_000)
    assert clock.now_ms() == database.now_ms
    database.passes(1_000)
    assert clock.now_ms() == database.now_ms


async def test_a_resync_that_fails_leaves_it_running(database):
    clock = await clock_of(database)
    database.broken = True
    database.passes(1_000)
    with pytest.raises(OSError, match="no way"):
        await clock.resync(database)
    assert clock.now_ms() == database.now_ms


def test_before_the_first_reading_it_says_nothing():
    with pytest.raises(RuntimeError, match="has not been set"):
        Clock().now_ms()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("passes"), st.integers(0, 5_000)),
        st.tuples(st.just("steps"), st.integers(-20_000, 20_000)),
        st.tuples(st.just("resync"), st.integers(0, 50)),
    ),
    max_size=40,
)


@given(STEPS)
async def test_it_never_runs_back_and_always_catches_up(steps):
    database = StandIn()
    clock = await clock_of(database)
    says = clock.now_ms()
    for what, ms in steps:
        if what == "resync":
            database.there_ns = ms * MS
            await clock.resync(database)
        else:
            getattr(database, what)(ms)
        assert clock.now_ms() >= says
        says = clock.now_ms()
    database.there_ns = 0
    await clock.resync(database)
    database.passes(2 * max(says - database.now_ms, 0) + 1_000_000)
    assert abs(clock.now_ms() - database.now_ms) <= 1
