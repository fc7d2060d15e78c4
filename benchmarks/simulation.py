"""The planners' simulator beside SimPy, on one core: incidents a second, and how time and memory grow.

SimPy's model has no rules and no search: an incident is ten medics as processes, each of which notices,
answers and travels, a time-out each, and one closing event. Ours has every rule of the service, the search
among 250,000 medics, and every event. Run: ``python -m benchmarks.simulation [--quick] [--profile]``.
"""

import argparse
import cProfile
import pstats
import resource
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import simpy
from msgspec.structs import replace

from benchmarks import machine
from dispatch.core.policy import Policies, Rung, Wave, shipped
from simulations.planning.records import WEEK_HOURS, Calls, Population
from simulations.planning.sections import BehaviourKeys
from simulations.planning.world import World

ALERTS = 10
MEDICS = 250_000
YEAR_ALARMS = 12_000
SOUTH, WEST, NORTH, EAST = 50.8, 3.4, 53.4, 7.2
"""About the Netherlands, 290 by 260 km."""
MONDAY_MS, YEAR_MS, MINUTE_MS = 1_704_067_200_000, 365 * 86_400_000, 60_000


def policies() -> Policies:
    """Ten are asked, once; nothing else is changed."""
    arrest = shipped()["cardiac_arrest"]
    waves, ladder = (Wave(0, ALERTS),), (Rung("websocket", 0),)
    return {"cardiac_arrest": replace(arrest, waves=waves, alerts_max=ALERTS, replace=False, ladder=ladder)}


def somewhere(count: int, chance: np.random.Generator, area: float) -> dict[str, np.ndarray]:
    """Evenly over a box of so many times the area."""
    side = area**0.5
    return {
        "lat": SOUTH + (NORTH - SOUTH) * side * chance.random(count),
        "lon": WEST + (EAST - WEST) * side * chance.random(count),
    }


def population(medics: int, chance: np.random.Generator) -> Population:
    """As dense as in the box, by the default modes; half of them are available at every second hour only."""
    modes = (0.30, 0.40, 0.30)
    available = np.ones((2, WEEK_HOURS), dtype=np.bool_)
    available[1, ::2] = False
    return Population(
        **somewhere(medics, chance, medics / MEDICS),
        work_lat=np.full(medics, np.nan),
        work_lon=np.full(medics, np.nan),
        mode=chance.choice(3, medics, p=modes).astype(np.int8),
        available=available,
        schedule=chance.integers(0, 2, medics).astype(np.int16),
        at_work=np.zeros(WEEK_HOURS, dtype=np.bool_),
        effect=chance.normal(size=medics),
        skills=(),
        skilled=np.zeros((medics, 0), dtype=np.bool_),
        time_zone="Europe/Amsterdam",
    )


def calls(count: int, chance: np.random.Generator, *, medics: int = MEDICS) -> Calls:
    """Evenly over the medics' box, as many an hour as in the year."""
    answered = np.sort(MONDAY_MS + chance.integers(0, YEAR_MS * count // YEAR_ALARMS, count))
    kerb = answered + chance.integers(6, 15, count) * MINUTE_MS
    return Calls(
        number=np.arange(count),
        kinds=("cardiac_arrest",),
        kind=np.zeros(count, dtype=np.int8),
        **somewhere(count, chance, medics / MEDICS),
        cell=np.zeros(count, dtype=np.uint64),
        hour=((answered - MONDAY_MS) // 3_600_000 % WEEK_HOURS).astype(np.int16),
        flat=np.zeros(count, dtype=np.bool_),
        collapse_at=answered - MINUTE_MS,
        answered_at=answered,
        recognised_at=answered + MINUTE_MS,
        alert_at=answered + 3 * MINUTE_MS,
        ambulance_dispatched_at=answered + 2 * MINUTE_MS,
        ambulance_kerb_at=kerb,
        ambulance_patient_at=kerb + MINUTE_MS,
        ambulance_forecast_at=kerb,
        kerb_to_patient_s=np.full(count, 78.0),
        true_arrest=np.ones(count, dtype=np.bool_),
        recognised=np.ones(count, dtype=np.bool_),
        bystander=np.zeros(count, dtype=np.bool_),
    )


def in_simpy(incidents: int, delays: list[float]) -> float:
    """Incidents a second of processor time."""
    environment = simpy.Environment()
    draws = iter(delays * (1 + 4 * ALERTS * incidents // len(delays)))

    def medic() -> Iterator[Any]:
        yield environment.timeout(next(draws))  # notices
        yield environment.timeout(next(draws))  # answers
        yield environment.timeout(next(draws))  # travels

    def incident() -> Iterator[Any]:
        for _ in range(ALERTS):
            environment.process(medic())
        yield environment.timeout(3600.0)  # closes

    def control_room() -> Iterator[Any]:
        for _ in range(incidents):
            environment.process(incident())
            yield environment.timeout(600.0)

    environment.process(control_room())
    return incidents / processor_s(environment.run)


def processor_s(what: Callable[[], object]) -> float:
    began = time.process_time()
    what()
    return time.process_time() - began


def in_ours(world: World, count: int, *, medics: int = MEDICS) -> float:
    """Incidents a second of processor time."""
    some = calls(count, np.random.default_rng(1), medics=medics)
    world.run(calls(200, np.random.default_rng(2), medics=medics), policies(), 0)  # once, to be warm
    return count / processor_s(lambda: world.run(some, policies(), 0))


def beside_simpy(world: World, incidents: int) -> None:
    delays = np.random.default_rng(1).exponential(60.0, 10_000).tolist()
    theirs = in_simpy(incidents, delays)
    ours = in_ours(world, incidents)
    print(f"SimPy   {theirs:9,.0f} incidents/s   (no rules, no search)")
    print(f"ours    {ours:9,.0f} incidents/s   (all rules, {MEDICS:,} medics, every event)")
    print(f"ratio   {ours / theirs:9.3f}               goal: 0.333")


def growing(world: World, most: int) -> None:
    print("incidents  incidents/s")
    for count in (most // 8, most // 4, most // 2, most):
        print(f"{count:9,}  {in_ours(world, count):11,.0f}")


def among(counts: tuple[int, ...], incidents: int) -> None:
    print("medics     incidents/s   (equally dense: each incident is the same work but for the search)")
    for medics in counts:
        world = World(population(medics, np.random.default_rng(1)), BehaviourKeys(), 1)
        print(f"{medics:9,}  {in_ours(world, incidents, medics=medics):11,.0f}")


def a_national_year(world: World, alarms: int) -> None:
    seconds = processor_s(lambda: world.run(calls(alarms, np.random.default_rng(9)), policies(), 0))
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    year_s = seconds * YEAR_ALARMS / alarms
    print(f"{alarms:,} alarms in {seconds:.1f} s; {mib:,.0f} MiB at most in this process, goal: 1,024")
    print(f"100 replications of {YEAR_ALARMS:,} on two cores: {year_s * 50 / 60:.1f} min, goal: 5")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true", help="where the time goes, instead")
    parser.add_argument("--quick", action="store_true", help="a tenth of it; the figures prove nothing")
    options = parser.parse_args()
    scale = 10 if options.quick else 1
    print(machine.described())
    world = World(population(MEDICS, np.random.default_rng(1)), BehaviourKeys(), 1)
    if options.profile:
        profile = cProfile.Profile()
        profile.runcall(in_ours, world, 1000)
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)
        return
    a_national_year(world, YEAR_ALARMS // scale)
    beside_simpy(world, 4000 // scale)
    growing(world, 8000 // scale)
    among((10_000, 100_000, 1_000_000) if scale == 1 else (1000, 10_000, 100_000), 2000 // scale)


if __name__ == "__main__":
    main()
