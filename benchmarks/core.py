"""Whole lives of incidents through the pure core on one core: decide, and replay by evolve, per second.

A life: opened, 10 alerts each delivered, 7 decline and 3 accept, closed. There is nobody else near, so every
decline is also a look that finds nobody. Run: ``python -m benchmarks.core [--seconds 5] [--profile]``.
"""

import argparse
import cProfile
import pstats
import time
from collections.abc import Callable
from typing import Any

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.decide import NOTHING_KNOWN, decide, go_on
from dispatch.core.evolve import evolve_all
from dispatch.core.incident import Incident
from dispatch.core.policy import shipped

POLICY = shipped()["cardiac_arrest"]
START_MS = 1_700_000_000_000
NEAR = tuple(c.Candidate(f"m{i}", 100 + i * 40, 60 + 20 * i, ("websocket", "sms")) for i in range(10))
DECLINES, ACCEPTS = 7, 3


class Run:
    """One incident: each command is decided, and again with candidates where it looks for some."""

    def __init__(self) -> None:
        self.state: Incident | None = None
        self.events: list[e.Event] = []
        self.at = START_MS
        self.quiet_until = NOTHING_KNOWN
        self.near = NEAR
        self.decisions = 0

    def do(self, make: Callable[..., c.Command], **about: Any) -> None:
        self.at += 500
        command = make(at=self.at, policy=POLICY, **about)
        decision = decide(self.state, command, quiet_until=self.quiet_until)
        self.decisions += 1
        if decision.search is not None:
            command = make(at=self.at, policy=POLICY, candidates=self.near, **about)
            decision = go_on(decision, self.state, command)
        self.state, self.quiet_until = decision.state, decision.quiet_until
        self.events += decision.events
        if decision.asked:
            self.near = ()


def life() -> Run:
    run = Run()
    run.do(
        c.Open,
        by="control_room",
        key="k",
        reference="R-1",
        kind="cardiac_arrest",
        priority=1,
        setting="public",
        drill=False,
        hazard="none",
        called_at=START_MS,
        ambulance_due_at=None,
        position_good=True,
    )
    for n in range(1, len(NEAR) + 1):
        run.do(c.Settle, by="medic", n=n, k=1, result="delivered")
    for n in range(1, len(NEAR) + 1):
        answer = "decline" if n <= DECLINES else "accept"
        run.do(c.GiveAnswer, by="medic", n=n, answer=answer, channel="websocket", eta_s=90)
    run.do(c.Close, by="control_room", key="k")
    return run


def rate(what: Callable[[], object], seconds: float) -> float:
    """How often a second of processor time, over at least ``seconds`` of it."""
    done, began = 0, time.process_time()
    while (taken := time.process_time() - began) < seconds:
        what()
        done += 1
    return done / taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each figure is measured")
    parser.add_argument("--profile", action="store_true", help="where the time goes, instead")
    parser.add_argument("--quick", action="store_true", help="half a second each; the figures prove nothing")
    options = parser.parse_args()
    seconds = 0.5 if options.quick else options.seconds
    if options.profile:
        profile = cProfile.Profile()
        profile.runcall(lambda: [life() for _ in range(300)])
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    run = life()
    stored = [e.encode(event) for event in run.events]
    lives = rate(life, seconds)
    replays = rate(lambda: evolve_all(None, run.events), seconds)
    from_json = rate(lambda: evolve_all(None, [e.decode(event) for event in stored]), seconds)
    print(f"lives      {lives:8,.0f} /s   ({len(run.events)} events, {run.decisions} decisions each)")
    print(f"decisions  {lives * run.decisions:8,.0f} /s")
    print(f"replays    {replays:8,.0f} /s   (evolve alone)")
    print(f"from JSON  {from_json:8,.0f} /s   (decoded and replayed)")


if __name__ == "__main__":
    main()
