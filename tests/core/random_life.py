"""One incident's life by chance: everything that may happen to it, at any time, in any order, for a seed.

A seed gives the same life every time. Nothing here knows what is right; ``invariants`` does.
"""

import random
from collections.abc import Callable
from typing import Any

from dispatch.core import commands as c
from dispatch.core.policy import Policy
from tests.core.invariants import Invariants, check_the_end
from tests.core.world import START_MS, Medic, Night, a_policy

LADDERS = (
    [("websocket", 0), ("sms", 20)],
    [("websocket", 0), ("sms", 20)],
    [("sms", 0)],
    [("websocket", 0)],
    [("websocket", 0), ("webpush", 5), ("sms", 15), ("voice", 30)],
)
ANSWERS = ("accept",) * 6 + ("decline",) * 6 + ("arrived", "arrived", "finished", "finished", "unsafe")
STEPS_MAX = 60
THOROUGH_EVERY = 5
REST_S = 60 * 24 * 3600
"""Long enough for all that time alone still makes due."""


def live(seed: int) -> Night:
    """Lives it to its end. Whatever fails names the seed."""
    life = Life(seed)
    try:
        life.run()
    except Exception as error:
        error.add_note(f"the life of seed {seed}: tests.core.random_life.live({seed})")
        raise
    return life.night


class Life:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.night = Night(
            [self.a_medic(i) for i in range(self.random.choice((0, 3, 8, 15, 15, 30)))], policy=self.rules()
        )
        self.invariants = Invariants()
        self.night.watch = self.invariants
        self.night.thorough = seed % THOROUGH_EVERY == 0
        self.acts = self.weighted()

    def run(self) -> None:
        self.night.report(**self.opening())
        for _ in range(self.random.randint(5, STEPS_MAX)):
            self.step()
        self.rest()

    def step(self) -> None:
        before, events, policy = self.night.state, len(self.night.events), self.night.policy
        try:
            self.random.choices(*self.acts)[0]()
        except (c.Refused, LookupError):
            self.night.policy = policy
            assert self.night.state is before or len(self.night.events) > events

    def rest(self) -> None:
        """Nobody touches it any more but to resume it, and what is in flight comes to its outcome."""
        self.night.resume()
        self.night.wait(REST_S)
        for n in range(1, len(self.night.state.alerts) + 1):
            while under_way := [note.k for note in self.night.alert(n).notes if note.pending]:
                self.night.settle(n, "sent", k=under_way[0])
        self.night.wait(REST_S)
        check_the_end(self.night, self.invariants.books)

    # What there is

    def rules(self) -> Policy:
        r = self.random
        waves = sorted({0, *r.sample(range(5, 200), r.randint(0, 3))})
        return a_policy(
            wanted=r.choice((1, 1, 2, 3)),
            waves=[(after_s, r.randint(1, 5)) for after_s in waves],
            replace=r.random() < 0.6,
            alerts_max=r.choice((1, 5, 12, 20, 40)),
            asks_max=r.choice((1, 2, 3)),
            reach_s=r.choice((300, 600)),
            answer_within_s=r.choice((10, 60, 90, 300)),
            better_by_s=r.choice((0, 60, 120)),
            ladder=r.choice(LADDERS),
            before_ambulance_only=r.random() < 0.2,
            overdue_s_min=r.choice((10, 120)),
            engaged_s_max=r.choice((600, 3600)),
            auto_close_s=r.choice((900, 14_400)),
            look_again_s=r.choice((5, 10, 60)),
            look_s_max=r.choice((300, 1800)),
        )

    def a_medic(self, i: int) -> Medic:
        channels = tuple(x for x in ("websocket", "webpush", "sms", "voice") if self.random.random() < 0.7)
        free = self.random.random() < 0.9
        return Medic(f"medic-{i}", self.random.randint(5, 500), channels or ("sms",), free)

    def opening(self) -> dict[str, Any]:
        r = self.random
        return {
            "setting": r.choice(("public", "private")),
            "drill": r.random() < 0.1,
            "hazard": r.choice(("none",) * 38 + ("hold", "block")),
            "called_at": START_MS - r.choice((0,) * 29 + (2_000_000,)),
            "ambulance_due_at": r.choice((None, START_MS + 400_000)),
            "position_good": r.random() < 0.97,
            "never_alert": r.random() < 0.03,
        }

    # What may happen, and how often

    def weighted(self) -> tuple[list[Callable[[], None]], list[int]]:
        night = self.night
        acts: list[tuple[Callable[[], None], int]] = [
            (self.wait, 16),
            (self.skip, 4),
            (self.answer, 26),
            (self.see, 5),
            (self.settle, 22),
            (self.lose, 3),
            (self.socket, 5),
            (self.leave, 4),
            (self.somebody_comes_or_goes, 6),
            (self.late_command, 2),
            (self.more, 3),
            (self.move, 4),
            (self.change_kind, 2),
            (self.update, 8),
            (night.enough, 1),
            (night.pause, 1),
            (night.resume, 6),
            (night.tick, 2),
            (night.cancel, 1),
            (night.close, 1),
            (night.reopen, 8),
        ]
        return [act for act, _ in acts], [weight for _, weight in acts]

    def wait(self) -> None:
        seconds = (0.001, 1, 5, 10, 20, 40, 60, 100, 200, 2000, 20_000)
        self.night.wait(self.random.choices(seconds, (2, 4, 4, 4, 4, 4, 4, 2, 2, 1, 0.3))[0])

    def skip(self) -> None:
        self.night.skip(self.random.choices((1, 30, 100, 5000), (4, 4, 4, 1))[0])

    def n(self) -> int:
        """An alert's number, now and then of one that is not there."""
        known = len(self.night.state.alerts)
        return self.random.randint(1, known) if known and self.random.random() < 0.97 else known + 1

    def answer(self) -> None:
        eta_s = self.random.choice((None, 1, 60, 500))
        about = {"eta_s": eta_s, "engaged": self.random.random() < 0.05}
        answer = self.random.choice(ANSWERS)
        by: Any = "timer" if answer == "arrived" and self.random.random() < 0.3 else "medic"
        self.night.answer(self.n(), answer, by=by, **about)  # type: ignore[arg-type]

    def see(self) -> None:
        self.night.see(self.n())

    def settle(self) -> None:
        n = self.n()
        k = self.random.randint(1, len(self.night.alert(n).notes) + 1)
        definite = self.random.random() < 0.6
        result = self.random.choice(("sent", "delivered", "failed", "failed"))
        self.night.settle(n, result, k=k, definite=definite and result == "failed")  # type: ignore[arg-type]

    def lose(self) -> None:
        """Every channel fails her."""
        self.night.lose(self.n())

    def socket(self) -> None:
        self.night.socket(self.n())

    def leave(self) -> None:
        n = self.n()
        why = self.random.choice(("suspended", "opted_out", "deleted", "engaged"))
        if n in self.night.medic_of:
            self.night.medic_of[n].free = False
        self.night.leave(n, why)  # type: ignore[arg-type]

    def somebody_comes_or_goes(self) -> None:
        if not self.night.near or self.random.random() < 0.4:
            self.night.near.append(self.a_medic(len(self.night.near)))
            return
        medic = self.random.choice(self.night.near)
        medic.free, medic.eta_s = self.random.random() < 0.8, self.random.randint(5, 700)

    def late_command(self) -> None:
        """From a node whose clock was behind, or that was slow."""
        at = self.night.at
        self.night.at -= self.random.choice((1, 5000, 100_000))
        try:
            self.answer()
        finally:
            self.night.at = at

    def more(self) -> None:
        self.night.more(self.random.randint(1, 5))

    def move(self) -> None:
        for medic in self.night.near:
            medic.eta_s = self.random.randint(5, 900)
        self.night.move(position_good=self.random.random() < 0.8)

    def change_kind(self) -> None:
        for medic in self.night.near:
            medic.fits = self.random.random() < 0.9
        self.night.change_kind(self.rules(), never_alert=self.random.choice((None, None, False, True)))

    def update(self) -> None:
        at = self.night.at
        about: dict[str, Any] = self.random.choice(
            (
                {"hazard": "none"},
                {"hazard": "none"},
                {"hazard": "none"},
                {"hazard": "none"},
                {"hazard": "none"},
                {"hazard": "hold"},
                {"hazard": "block"},
                {"ambulance_due_at": at + 300_000},
                {"ambulance_arrived_at": at},
                {"setting": "private", "standing": self.night.standing()},
                {"priority": 4},
                {"never_alert": True},
                {"never_alert": False},
                {},
            )
        )
        self.night.update("address", position_good=self.random.random() < 0.5, **about)
