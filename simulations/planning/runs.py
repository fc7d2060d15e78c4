"""All replications of a scenario, each policy on the same calls, over this machine's cores or a Dask cluster.

The results are the same, to the byte, on one core, on many and on a cluster: a replication is worked out
whole in one place, and replications are kept and looked at in the order of their numbers.
"""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from simulations.planning import calls, population, spread, tally
from simulations.planning.bootstrap import redrawn
from simulations.planning.comparison import Stopping
from simulations.planning.intervals import LEVEL
from simulations.planning.scenario import Scenario
from simulations.planning.tally import Tally
from simulations.planning.world import World

Row = tuple[Tally, ...]
"""Of one replication, a column a policy."""


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

    @property
    def stopped(self) -> bool:
        return self.ended == "stopped"


def run(
    scenario: Scenario,
    on_done: Callable[[int], None] = lambda _: None,
    *,
    jobs: int = 1,
    dask: str | None = None,
) -> Results:
    """``on_done`` hears how many replications are done. ``dask``: a scheduler's address, instead of ``jobs``.

    Ctrl-C ends it with those that are done. Raises what `spread` raises.
    """
    stopping = stopping_of(scenario)
    rows: list[Row] = []
    drawn_anew: list[Row] = []
    ended: Literal["all", "enough", "stopped"] = "all"

    def spread_out(make: spread.Make[Scenario, Row], count: int) -> Generator[Row, None, None]:
        if dask is None:
            return spread.in_order(make, scenario, count, jobs)
        return spread.on_dask(make, scenario, count, dask)

    try:
        with closing(spread_out(replicating, scenario.replications)) as several:
            for row in several:
                rows.append(row)
                on_done(len(rows))
                if stopping is not None and len(rows) < scenario.replications and stopping.enough(rows):
                    ended = "enough"
                    break
        if scenario.keys.bootstrap:
            with closing(spread_out(redrawing, scenario.keys.bootstrap)) as several:
                for row in several:
                    drawn_anew.append(row)
                    on_done(len(rows) + len(drawn_anew))
    except KeyboardInterrupt:
        ended = "stopped"
    level = LEVEL if stopping is None else stopping.level_at_a_look
    return Results(tuple(rows), tuple(scenario.policies), ended, level, tuple(drawn_anew))


def stopping_of(scenario: Scenario) -> Stopping | None:
    """None: all replications are made, whatever they show."""
    within_s = scenario.keys.stop_within_s
    return None if within_s is None else Stopping(scenario.replications, within_s)


def replicating(scenario: Scenario) -> Callable[[int], Row]:
    """Works out replications of the scenario, one after the other. The medics are drawn here, once."""
    world = World(population.made(scenario), scenario.behaviour, scenario.seed)
    return lambda replication: _replicated(scenario, world, replication)


def redrawing(scenario: Scenario) -> Callable[[int], Row]:
    """The same with the inputs' samples drawn anew in each; the medics too, where they are a sample."""
    alike = None if scenario.listed else World(population.made(scenario), scenario.behaviour, scenario.seed)

    def replicate(replication: int) -> Row:
        other = redrawn(scenario, replication)
        world = alike or World(population.made(other), other.behaviour, other.seed)
        return _replicated(other, world, replication)

    return replicate


def _replicated(scenario: Scenario, world: World, replication: int) -> Row:
    made = calls.made(scenario, replication)
    outcomes = (world.run(made, policies, replication) for policies in scenario.policies.values())
    return tuple(tally.of(made, one, scenario.years) for one in outcomes)
