"""What goes wrong when: nodes die, stand still and come back, links are swizzled, storms pass.

Besides this schedule, every message and request has its own small risks; see where `Faults.happens` is asked.
"""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import TYPE_CHECKING, Any

from tests.simulator.nodes import Place

if TYPE_CHECKING:
    from tests.simulator.world import World


class Schedule:
    """``stop`` ends all faults, and has everything that is away come back."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._random = random = Random(f"{world.seed} schedule")
        self._stopped = False
        self._usual = random.choice((0.0, 0.3, 1.0, 1.0))
        works: list[tuple[float, Callable[[], Coroutine[Any, Any, None]]]] = [
            (25.0, self._storm),
            (30.0, self._kill_one),
            (30.0, self._pause_one),
            (45.0, self._database_away),
            (45.0, self._provider_away),
            (20.0, self._swizzle),
            (30.0, self._cut_off),
            (25.0, self._change_a_medic),
        ]
        # A few kinds at a time find more than all at once.
        for every_s, work in works:
            if random.random() < 0.6:
                world.loop.create_task(self._now_and_then(every_s, work))
        world.loop.create_task(self._now_and_then(10.0, self._set_a_clock))
        for place in world.places:
            place.struck = self._struck
        world.loop.call_later(2.0, self._begin)

    def stop(self) -> None:
        world = self._world
        self._stopped = True
        world.faults.level = 0.0
        world.database_up, world.provider.down = True, False
        for place in world.places:
            for link in place.links:
                link.unclog()
            place.wake()
            if place.life is None:
                place.start()

    def _begin(self) -> None:
        self._world.faults.level = self._usual

    async def _now_and_then(self, every_s: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            await asyncio.sleep(self._random.expovariate(1 / every_s))
            if self._stopped:
                return
            await work()

    def _some_place(self) -> Place | None:
        running = [place for place in self._world.places if place.life is not None and place.life.runs]
        return self._random.choice(running) if running else None

    async def _storm(self) -> None:
        """Everything that can go wrong goes wrong much more often, for some seconds."""
        self._world.faults.count("storm")
        self._world.faults.level = 6.0
        await asyncio.sleep(self._random.uniform(1.0, 6.0))
        self._world.faults.level = 0.0 if self._stopped else self._usual

    async def _kill_one(self) -> None:
        place = self._some_place()
        if place is not None:
            self._kill(place, "node killed")

    def _struck(self, place: Place, kind: str) -> None:
        """At a certain await; called from within, so it happens next."""
        life = place.life
        self._world.loop.call_soon(lambda: self._kill(place, kind) if place.life is life else None)

    def _kill(self, place: Place, kind: str) -> None:
        if self._stopped or place.life is None:
            return
        self._world.faults.count(kind)
        place.kill()
        self._world.loop.call_later(self._random.uniform(0.1, 8.0), self._start, place)

    def _start(self, place: Place) -> None:
        if place.life is None:
            place.start()

    async def _pause_one(self) -> None:
        """For less or more than its lease."""
        place = self._some_place()
        if place is None:
            return
        suspended = self._random.random() < 0.5
        self._world.faults.count("machine suspended, its clocks too" if suspended else "node paused")
        place.pause(suspended=suspended)
        life = place.life
        await asyncio.sleep(self._random.uniform(0.5, 9.0))
        if place.life is life:
            place.wake()

    async def _database_away(self) -> None:
        """As a restart of the server: no connection outlives it."""
        world = self._world
        world.faults.count("database restarted")
        world.database_up = False
        for session in list(world.database.sessions.values()):
            session.end()
        world.database.starts += 1
        await asyncio.sleep(self._random.uniform(0.5, 7.0))
        world.database_up = True

    async def _provider_away(self) -> None:
        self._world.provider.down = True
        await asyncio.sleep(self._random.uniform(1.0, 10.0))
        self._world.provider.down = False

    async def _swizzle(self) -> None:
        """Clogs links one by one, and unclogs them in another order."""
        links = [link for place in self._world.places for link in place.links]
        some = self._random.sample(links, self._random.randint(1, len(links)))
        for link in some:
            if self._stopped:
                return
            self._world.faults.count("link clogged")
            link.clog()
            await asyncio.sleep(self._random.uniform(0.0, 1.5))
        self._random.shuffle(some)
        for link in some:
            await asyncio.sleep(self._random.uniform(0.0, 1.5))
            link.unclog()

    async def _cut_off(self) -> None:
        """A node does not reach the database for longer than its lease."""
        place = self._some_place()
        if place is None:
            return
        self._world.faults.count("node cut off from the database")
        place.to_database.clog()
        await asyncio.sleep(self._random.uniform(1.0, 10.0))
        place.to_database.unclog()

    async def _set_a_clock(self) -> None:
        """On some node's wall; it may be down, or stand still."""
        clock = self._random.choice(self._world.places).clock
        if self._random.random() < 0.3:
            self._world.faults.count("wall clock runs uneven")
            clock.run_uneven()
        else:
            way = "forward" if clock.step() > 0 else "back"
            self._world.faults.count(f"wall clock stepped {way}")

    async def _change_a_medic(self) -> None:
        world, random = self._world, self._random
        phone = random.choice(list(world.phones.values()))
        room = random.choice(world.rooms)
        if phone.deleted or phone.changed:
            return
        what = random.choice(("suspend", "suspend", "opt_out", "delete"))
        world.faults.count(f"medic: {what}")
        phone.changed = what
        if what == "suspend":
            await room.suspend(phone.medic.id)
        elif what == "opt_out":
            await room.opt_out(phone.medic.id)
        else:
            await room.delete(phone.medic.id)
            phone.deleted = True
