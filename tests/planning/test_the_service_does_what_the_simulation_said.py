"""Incidents of a simulation, reported to a running service: with the same answers, the same events.

The service is a whole dispatcher on a real Postgres. Its clock stands until the test moves it, so that the
events are the same to the millisecond. What came from outside in the simulation (reports, receipts, answers,
the ambulance, the end) comes from outside here; all else the service has to find by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import handmade
import numpy as np
import pytest
from msgspec.structs import replace

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.policy import shipped
from dispatch.ids import alert_id, notification_id
from dispatch.records import Record
from simulations.planning.behaviour import Behaviour
from simulations.planning.draws import Draws
from simulations.planning.engine import KEY
from simulations.planning.records import Calls, Population
from simulations.planning.sections import BehaviourKeys
from simulations.planning.world import World, ambulance_there, new_incident
from tests.dispatcher.town import MovedClock, Town

S, MIN, H = handmade.S, handmade.MIN, handmade.H
NOON = handmade.MONDAY + 12 * H
POLICIES = shipped()

Deed = Callable[["Service"], Awaitable[None]]


class FromOutside(NamedTuple):
    at: int
    deed: Deed


class Log:
    """A simulation's events by call, and what came from outside, in the order in which it did."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.events: dict[int, list[e.AnyEvent]] = {}
        self.from_outside: list[FromOutside] = []

    def committed(self, number: int, at: int, record: Record, events: list[e.AnyEvent]) -> None:
        self.events.setdefault(number, []).extend(events)
        for event in events:
            if (deed := self._deed(number, record, event)) is not None:
                self.from_outside.append(FromOutside(at, deed))

    def answered(self, number: int, at: int, n: int, medic_id: str, answer: Any, refused: Any) -> None:
        async def say(service: "Service") -> None:
            code = await service.say(number, n, medic_id, answer)
            assert code == (None if refused is None else refused.code)

        self.from_outside.append(FromOutside(at, say))

    def arrived(self, number: int, at: int, medic_id: str) -> None:
        """She will say so."""

    def _deed(self, number: int, record: Record, event: e.AnyEvent) -> Deed | None:
        if isinstance(event, e.IncidentOpened):
            new = new_incident(self.calls, number)

            async def report(service: "Service") -> None:
                opened = await service.town.dispatcher.open(service.town.room_id, KEY, new)
                service.ids[number] = opened.id

            return report
        if isinstance(event, e.IncidentUpdated):
            return lambda service: service.update(number, event.at)
        if isinstance(event, e.IncidentClosed) and event.by == "control_room":
            return lambda service: service.close(number)
        if isinstance(event, e.NotificationDelivered):
            medic_id = record.asked[event.n - 1].medic_id
            return lambda service: service.receipt(number, medic_id, event)
        if isinstance(event, e.AlertSeen):
            medic_id = record.asked[event.n - 1].medic_id
            return lambda service: service.see(number, medic_id, event.n)
        return None


class Service:
    def __init__(self, town: Town, clock: MovedClock) -> None:
        self.town, self.clock = town, clock
        self.ids: dict[int, str] = {}

    async def update(self, number: int, at: int) -> None:
        await self.town.dispatcher.update(self.ids[number], KEY, ambulance_there(at))

    async def close(self, number: int) -> None:
        await self.town.dispatcher.command(self.ids[number], KEY, c.Close)

    async def receipt(self, number: int, medic_id: str, event: e.NotificationDelivered) -> None:
        message = notification_id(self.ids[number], event.n, event.k)
        await self.town.dispatcher.acknowledged(medic_id, message)

    async def see(self, number: int, medic_id: str, n: int) -> None:
        await self.town.dispatcher.seen(medic_id, alert_id(self.ids[number], n), "websocket")

    async def say(self, number: int, n: int, medic_id: str, answer: e.Answer) -> str | None:
        """The code of its refusal, or None."""
        alert = alert_id(self.ids[number], n)
        try:
            await self.town.dispatcher.answer(medic_id, alert, answer, "websocket")
        except c.Refused as refused:
            return refused.code
        return None

    async def play(self, log: Log) -> None:
        """All that came from outside, each at its time; between them the service's own timers go off."""
        for at, deed in log.from_outside:
            await self.until(at)
            await deed(self)
            await self.quiet()
        await self.until(max(event.at for events in log.events.values() for event in events) + 24 * H)

    async def until(self, at: int) -> None:
        decisions = self.town.dispatcher.decisions
        while True:
            due = [live.record.due_at for live in decisions.lives() if live.record and live.record.due_at]
            if min(due, default=at + 1) > at:
                break
            self.clock.move_to(min(due))
            decisions.tick_all_due()
            await self.quiet()
        self.clock.move_to(at)

    async def quiet(self) -> None:
        async with asyncio.timeout(20):
            while self.town.dispatcher.decisions.waiting:
                await asyncio.sleep(0)


@pytest.fixture
async def service(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Devices acknowledge sooner than the service takes it for sent: here that is a matter of real time."""
    monkeypatch.setattr("dispatch.sending.to_sockets.SENT_AFTER_S", 3600.0)
    town = Town(database_url, policies=POLICIES)
    clock = town.clock = MovedClock(NOON)
    await town.start()
    yield Service(town, clock)
    await town.stop()


async def same_events(service: Service, population: Population, calls: Calls, replication: int) -> Log:
    """The simulation, then the service; the events of every call that was reported are the same."""
    log = Log(calls)
    medics = Behaviour(BehaviourKeys(), Draws(5, replication), population, calls)
    World(population, BehaviourKeys(), 5).play(calls, POLICIES, medics, log)
    phones = [
        replace(medic, phone=f"+316{10_000_000 + int(medic.id)}", name="her") for medic in population.roster()
    ]
    await service.town.add(phones)
    await service.play(log)
    assert service.ids.keys() == log.events.keys()
    for number, incident_id in service.ids.items():
        record = await service.town.dispatcher.get(incident_id)
        assert record is not None
        assert await service.town.events(record) == log.events[number]
    return log


def kinds_of(log: Log, number: int) -> set[type]:
    return {type(event) for event in log.events[number]}


async def test_one_incident_has_the_same_events(service):
    population = handmade.medics(range(50, 2500, 50), mode=1)
    log = await same_events(service, population, handmade.calls([NOON]), replication=0)
    assert {e.AlertRequested, e.AlertSeen, e.AlertAnswered, e.IncidentCovered, e.IncidentClosed} <= kinds_of(
        log, 0
    )
    assert len(log.events[0]) > 60


async def test_incidents_that_take_each_others_medics_have_the_same_events(service):
    """Arrests and a lesser kind, a minute apart, with too few medics."""
    kinds = ("cardiac_arrest", "other")
    count = 8
    calls = handmade.calls(
        [NOON + i * 55_123 for i in range(count)],
        kinds=kinds,
        kind=(np.arange(count) % 3 == 0).astype(np.int8),
        lat=handmade.LAT + np.arange(count) * 300 * handmade.METRES_NORTH,
    )
    population = handmade.medics(range(0, 4000, 160), mode=1)
    log = await same_events(service, population, calls, replication=1)
    events = [event for events in log.events.values() for event in events]
    reasons = {event.reason for event in events if isinstance(event, e.AlertStoodDown)}
    assert {"covered", "engaged", "ambulance"} <= reasons
    assert {e.NobodyFound, e.AlertExpired} <= {type(event) for event in events}
