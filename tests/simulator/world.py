"""The whole world of one run: nodes, a database, a provider, phones and control rooms, and what goes wrong.

All of it follows from the seed. Faults go on until ``FAULTS_S``; in liveness mode they end then, everything
is given its time, and must have come to its end.
"""

import gc
import json
from collections.abc import Mapping
from hashlib import blake2b
from random import Random
from typing import Literal

import msgspec

from dispatch.core.policy import Policy, Rung, Wave, shipped
from dispatch.records import Details, Medic, NewIncident, Position
from dispatch.records import Place as Home
from dispatch.store import medics
from notify.channel import Failed, Outcome, Sent
from notify.message import Message
from simulations.behaviour import Behaviour
from tests.simulator.checkers import Checkers
from tests.simulator.clocks import HostClock, on_the_wall
from tests.simulator.control_rooms import TROUBLE, ControlRoom
from tests.simulator.database import ModelDatabase
from tests.simulator.database_pool import ModelPool
from tests.simulator.endings import check_the_end, check_what_is_shown
from tests.simulator.links import Faults
from tests.simulator.loop import SimLoop
from tests.simulator.nodes import Parts, Place
from tests.simulator.phones import Phone
from tests.simulator.provider import Provider
from tests.simulator.schedule import Schedule
from tests.simulator.silence import quiet

Mode = Literal["safety", "liveness"]
EPOCH_MS = 1_700_000_000_000
CENTRES = (Position(52.09, 5.12), Position(52.10, 5.13), Position(52.37, 4.89))
KINDS = ("cardiac_arrest", "trauma", "other")
INCIDENTS, MEDICS = 200, 60
NODES = (1, 1, 2, 2, 3)
REPORTS_S = 90.0
FAULTS_S = 110.0
QUIET_AFTER_S = 45.0
"""Calls that were never answered have run into their time-outs by then."""
LOOK_S = 1.0
SETTLED_S = 90.0
"""Within so long after the faults all that was under way has come to its end."""


class Finding(msgspec.Struct, frozen=True):
    """What a run showed. ``violations``: (invariant with events), empty if all is well."""

    seed: int
    mode: Mode
    incidents: int
    commits: int
    steps: int
    faults: dict[str, int]
    violations: tuple[str, ...]
    digest: str


def policies() -> Mapping[str, Policy]:
    """Of short lives, so that all that can happen does within a run."""
    change = msgspec.structs.replace
    ladder = (Rung("websocket", 0), Rung("sms", 4))
    base = change(
        shipped()["trauma"],
        answer_within_s=20,
        better_by_s=10,
        ladder=ladder,
        overdue_s_min=20,
        engaged_s_max=60,
        auto_close_s=300,
        look_again_s=10,
        look_s_max=60,
    )
    return {
        "cardiac_arrest": change(base, priority=1, wanted=2, waves=(Wave(0, 3), Wave(12, 2)), alerts_max=8),
        "trauma": change(base, priority=3, wanted=1, waves=(Wave(0, 2), Wave(15, 1)), alerts_max=6),
        "other": change(base, priority=5, wanted=1, waves=(Wave(0, 2),), replace=False, alerts_max=4),
    }


class World:
    """``nodes``, ``incidents``, ``medics``: how many; drawn from the seed where not given."""

    def __init__(
        self,
        seed: int,
        mode: Mode,
        *,
        nodes: int | None = None,
        incidents: int = INCIDENTS,
        medics: int = MEDICS,
    ) -> None:
        self.seed, self.mode = seed, mode
        random = self._random = Random(f"{seed} world")
        self.loop = SimLoop(seed)
        self.faults = Faults(seed)
        self.database = ModelDatabase(self.now_ms)
        self.checkers = Checkers(self.database, self.now_ms)
        self.database.on_commit = self.checkers.check_commit
        self.database_up = True
        self.quiet_s = FAULTS_S + QUIET_AFTER_S
        self._reported = 0
        self.provider = Provider(
            self.loop, self.faults, seed, ring=self._ring, tell=self._tell, on_call=self._called
        )
        count = nodes if nodes is not None else random.choice(NODES)
        self.places = [self._place(f"node-{i}") for i in range(count)]
        self.phones = {medic.id: self._phone(medic) for medic in self._medics(medics)}
        self._by_phone = {phone.medic.phone: phone for phone in self.phones.values()}
        self.rooms = [self._room(f"room-{i}") for i in range(2)]
        self._plan_incidents(incidents)
        self.schedule = Schedule(self)

    def now_ms(self) -> int:
        return EPOCH_MS + round(self.loop.time() * 1000)

    def now_ns(self) -> int:
        return EPOCH_MS * 1_000_000 + round(self.loop.time() * 1e9)

    def run(self) -> Finding:
        """Everything from the first start on. The loop is torn down at the end."""
        with quiet(self.checkers.wrong), on_the_wall(self.now_ns):
            self._run()
        return self._finding()

    def _run(self) -> None:
        for place in self.places:
            place.start()
        for phone in self.phones.values():
            phone.begin()
        for room in self.rooms:
            room.begin()
        self.loop.run_until(FAULTS_S, self._failed)
        if self.mode == "liveness" and not self._failed():
            self.schedule.stop()
            for room in self.rooms:
                room.stopping = True
            self.loop.run_until(self.quiet_s, self._failed)
            self._plan_incidents(6, quiet=True)
            self._watch_what_is_shown(FAULTS_S + SETTLED_S)
            if not self._failed():
                check_the_end(self)
        gc.collect()  # a future that nobody can await any more tells its exception now
        self.loop.close()
        for failure in self.loop.failures:
            self.checkers.wrong(f"{type(failure).__name__} that nobody caught: {failure}")

    def _watch_what_is_shown(self, until_s: float) -> None:
        """Meanwhile apps are installed anew, which is a fault of nothing here: they are to be told."""
        apps = [app for phone in self.phones.values() for app in phone.apps]
        while self.loop.time() < until_s and not self._failed():
            self.loop.run_until(min(self.loop.time() + LOOK_S, until_s), self._failed)
            check_what_is_shown(self)
            for app in apps:
                if self._random.random() < 0.04:
                    app.is_installed_anew()

    def _failed(self) -> bool:
        return bool(self.checkers.violations or self.loop.failures)

    def _finding(self) -> Finding:
        return Finding(
            seed=self.seed,
            mode=self.mode,
            incidents=len(self.checkers.incidents),
            commits=self.checkers.commits,
            steps=self.loop.steps,
            faults=self.faults.counts,
            violations=tuple(str(one) for one in self.checkers.violations),
            digest=self._digest(),
        )

    def _digest(self) -> str:
        """Of all that was decided, in order, and of what every phone was told, when."""
        heard = blake2b(digest_size=16)
        for decision in self.database.log:
            heard.update(repr(decision).encode())
        for phone in self.phones.values():
            heard.update(repr((phone.rang, phone.texts, phone.acknowledged)).encode())
        heard.update(repr((self.faults.counts, self.loop.steps)).encode())
        return heard.hexdigest()

    # --- who is in it

    def _place(self, name: str) -> Place:
        return Place(
            name,
            loop=self.loop,
            faults=self.faults,
            seed=self.seed,
            database=self.database,
            provider=self.provider,
            policies=policies(),
            clock=HostClock(self.loop, self.now_ns, Random(f"{self.seed} {name} clock")),
            up=lambda: self.database_up,
        )

    def _medics(self, count: int) -> list[Medic]:
        random, made = self._random, []
        for i in range(count):
            centre = random.choice(CENTRES)
            at = (centre.lat + random.gauss(0, 0.006), centre.lon + random.gauss(0, 0.009))
            channels = random.choice((("websocket", "sms"), ("websocket", "sms"), ("websocket",), ("sms",)))
            medic = Medic(
                id=f"medic-{i:03}",
                name=f"Medic {i}",
                phone=f"+316{10_000_000 + i}",
                language="en",
                skills=(),
                mode=random.choice(("foot", "bicycle", "car")),
                cleared_for_homes=True,
                verified=True,
                suspended=False,
                certificate_until=None,
                registered_by=None,
                available=True,
                drills=random.random() < 0.5,
                places=(Home("home", *at),),
                channels=channels,
            )
            made.append(medic)
        self.loop.run_until_complete(medics.create(ModelPool(self.database), made))
        return made

    def _phone(self, medic: Medic) -> Phone:
        return Phone(
            medic,
            loop=self.loop,
            faults=self.faults,
            seed=self.seed,
            behaviour=Behaviour(self.seed, pace=5.0),
            places=self.places,
            now_ms=self.now_ms,
            on_sent=self._sent,
            on_refused=self.checkers.refused,
            asked_at=self.checkers.events_of,
            has_app="websocket" in medic.channels and self._random.random() < 0.9,
        )

    def _room(self, room_id: str) -> ControlRoom:
        self.database.add_control_room(room_id)
        return ControlRoom(
            room_id,
            loop=self.loop,
            faults=self.faults,
            seed=self.seed,
            places=self.places,
            on_acknowledged=self.checkers.acknowledged,
        )

    def _plan_incidents(self, count: int, *, quiet: bool = False) -> None:
        random = self._random
        for _ in range(count):
            self._reported += 1
            centre = random.choice(CENTRES)
            position = Position(centre.lat + random.gauss(0, 0.004), centre.lon + random.gauss(0, 0.006))
            new = NewIncident(
                reference=f"ref-{self._reported}",
                kind=random.choice(KINDS),
                details=Details(position),
                drill=random.random() < 0.08,
                hazard="hold" if random.random() < 0.05 else "none",
            )
            room = random.choice(self.rooms)
            if quiet:
                after_s = random.uniform(1.0, 20.0)
                room.report_at(random.uniform(0.0, 5.0), new, close_after_s=after_s, quiet=True)
            else:
                room.report_at(random.uniform(0.0, REPORTS_S), new, close_after_s=random.expovariate(1 / 30))

    # --- what they have to do with each other

    def _sent(self, medic_id: str, text: str) -> None:
        frame = json.loads(text)
        if "id" in frame:
            self.checkers.sent(medic_id, frame["id"])

    def _called(self, message: Message, _phone: str) -> None:
        taken = self.provider.by_notification.get(message.message_id, ())
        self.checkers.called(message.message_id, taken_before=len(taken))

    def _ring(self, phone: str, message: Message) -> None:
        self._by_phone[phone].text(message)

    def _tell(self, notification: str, outcome: Outcome) -> None:
        self.loop.create_task(self._call_back(notification, outcome))

    async def _call_back(self, notification: str, outcome: Outcome) -> None:
        """As Twilio posts a status: once, and once more where it got no answer."""

        async def settled(parts: Parts) -> None:
            if isinstance(outcome, Sent):
                await parts.dispatcher.settled(notification, "delivered" if outcome.delivered else "sent")
            elif isinstance(outcome, Failed):
                await parts.dispatcher.settled(
                    notification, "failed", reason=outcome.reason, definite=outcome.definite
                )

        for _ in range(2):
            try:
                await self._random.choice(self.places).ask(settled)
            except TROUBLE:
                continue
            return
