"""All replications of a scenario, each policy on the same calls, over this machine's cores or a Dask cluster.

The results are the same, to the byte, on one core, on many and on a cluster: a replication is worked out
whole in one place, and replications are kept and looked at in the order of their numbers.
"""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

from simulations.planning import calls, population, spread, tally
from simulations.planning.bootstrap import redrawn
from simulations.planning.comparison import Stopping
from simulations.planning.intervals import LEVEL
from simulations.planning.records import Calls
from simulations.planning.scenario import Scenario
from simulations.planning.sections import BehaviourKeys
from simulations.planning.tally import Tally
from simulations.planning.world import World

Row = tuple[Tally, ...]
"""Of one replication, a column a policy."""

Made = TypeVar("Made")


AGAIN_MAX = 30
"""Replications that are made twice, where that is asked for: as many as an interval needs."""


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """``rows``: the replications that were done, from the first on without a gap."""

    rows: tuple[Row, ...]
    policies: tuple[str, ...]
    """In the scenario's order; the others are compared with the first."""
    ended: Literal["all", "enough", "stopped"]
    """All that were asked for were done; enough were, to know the differences; or Ctrl-C."""
    level: float
    """Of each interval: higher where replications may have ended early, since that was looked at often."""
    redrawn: tuple[Row, ...] = ()
    """Replications more, each with the inputs' samples drawn anew."""
    switched: tuple[Row, ...] = ()
    """The first replications again, with the incident's effect on acceptance switched and nothing else."""

    @property
    def stopped(self) -> bool:
        return self.ended == "stopped"


def run(
    scenario: Scenario,
    on_done: Callable[[int], None] = lambda _: None,
    *,
    jobs: int = 1,
    dask: str | None = None,
    again: BehaviourKeys | None = None,
) -> Results:
    """``on_done`` hears how many replications are done. ``dask``: a scheduler's address, instead of ``jobs``.

    ``again``: the first `AGAIN_MAX` replications are also made with medics who act so. Ctrl-C ends it with
    those that are done. Raises what `spread` raises.
    """
    stopping = stopping_of(scenario)
    rows: list[Row] = []
    switched: list[Row] = []
    drawn_anew: list[Row] = []
    ended: Literal["all", "enough", "stopped"] = "all"

    def spread_out(make: spread.Make[Scenario, Made], count: int) -> Generator[Made, None, None]:
        if dask is None:
            return spread.in_order(make, scenario, count, jobs)
        return spread.on_dask(make, scenario, count, dask)

    try:
        with closing(spread_out(partial(replicating, again=again), scenario.replications)) as several:
            for row, *others in several:
                rows.append(row)
                switched += others
                on_done(len(rows))
                if stopping is not None and len(rows) < scenario.replications and stopping.enough(rows):
                    ended = "enough"
                    break
        if scenario.keys.bootstrap:
            with closing(spread_out(redrawing, scenario.keys.bootstrap)) as redrawings:
                for row in redrawings:
                    drawn_anew.append(row)
                    on_done(len(rows) + len(drawn_anew))
    except KeyboardInterrupt:
        ended = "stopped"
    level = LEVEL if stopping is None else stopping.level_at_a_look
    return Results(tuple(rows), tuple(scenario.policies), ended, level, tuple(drawn_anew), tuple(switched))


def stopping_of(scenario: Scenario) -> Stopping | None:
    """None: all replications are made, whatever they show."""
    within_s = scenario.keys.stop_within_s
    return None if within_s is None else Stopping(scenario.replications, within_s)


def replicating(scenario: Scenario, again: BehaviourKeys | None) -> Callable[[int], tuple[Row, ...]]:
    """Works out replications of the scenario, one after the other. The medics are drawn here, once.

    Of the first `AGAIN_MAX` there is a second row where ``again`` says how else the medics could act.
    """
    world = World(population.made(scenario), scenario.behaviour, scenario.seed)
    others = () if again is None else (world.acting(again),)

    def replicate(replication: int) -> tuple[Row, ...]:
        worlds = (world, *others) if replication < AGAIN_MAX else (world,)
        made = calls.made(scenario, replication)
        return tuple(_replicated(scenario, one, made, replication) for one in worlds)

    return replicate


def redrawing(scenario: Scenario) -> Callable[[int], Row]:
    """The same with the inputs' samples drawn anew in each; the medics too, where they are a sample."""
    alike = None if scenario.listed else World(population.made(scenario), scenario.behaviour, scenario.seed)

    def replicate(replication: int) -> Row:
        other = redrawn(scenario, replication)
        world = alike or World(population.made(other), other.behaviour, other.seed)
        return _replicated(other, world, calls.made(other, replication), replication)

    return replicate


def _replicated(scenario: Scenario, world: World, made: Calls, replication: int) -> Row:
    outcomes = (world.run(made, policies, replication) for policies in scenario.policies.values())
    return tuple(tally.of(made, one, scenario.years) for one in outcomes)
