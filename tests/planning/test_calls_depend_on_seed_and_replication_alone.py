"""The same world whatever is tried on it: neither policies nor other replications move a call."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np

from simulations.planning import calls, population
from simulations.planning.records import Calls
from simulations.planning.scenario import read
from tests.planning.scenarios import TEN_LINES, scenario, written

WIDE = "[cardiac_arrest]\nwaves = [{ after_s = 0, alerts = 20 }]\n"


def equal(one: object, other: object) -> bool:
    """Every array bit for bit."""
    names = [field.name for field in dataclasses.fields(one)]  # type: ignore[arg-type]
    return all(
        np.array_equal(np.array(getattr(one, n)), np.array(getattr(other, n)), equal_nan=False) for n in names
    )


def test_a_replication_is_the_same_again_and_another_is_another(tmp_path: Path) -> None:
    held = scenario(tmp_path, TEN_LINES)
    first = calls.made(held, 3)
    calls.made(held, 4)
    assert equal(calls.made(held, 3), first)
    other = calls.made(held, 4)
    assert not set(first.answered_at.tolist()) & set(other.answered_at.tolist())


def test_policies_and_the_number_of_replications_are_in_no_draw(tmp_path: Path) -> None:
    path = written(tmp_path, TEN_LINES, wide_toml=WIDE)
    alone, compared = read(path), read(path, policies=[tmp_path / "wide.toml"], replications=2)
    assert equal(calls.made(alone, 1), calls.made(compared, 1))
    assert np.array_equal(population.made(alone).lat, population.made(compared).lat)


def test_another_seed_is_another_world(tmp_path: Path) -> None:
    path = written(tmp_path, TEN_LINES)
    one, other = read(path), read(path, seed=2)
    assert not set(calls.made(one, 0).lat.tolist()) & set(calls.made(other, 0).lat.tolist())
    assert not set(population.made(one).lat.tolist()) & set(population.made(other).lat.tolist())


def test_what_is_known_of_a_call_does_not_hang_on_how_its_ambulance_drives(tmp_path: Path) -> None:
    """Each draw has its own purpose: a key that changes one leaves the others as they are."""
    one = calls.made(scenario(tmp_path, TEN_LINES), 0)
    other = calls.made(
        scenario(tmp_path, TEN_LINES + "[ambulance]\nto_kerb_s = 300\nto_kerb_sigma = 0.2\n"), 0
    )
    changed = {"ambulance_kerb_at", "ambulance_patient_at", "ambulance_forecast_at"}
    for name in (field.name for field in dataclasses.fields(Calls)):
        assert np.array_equal(getattr(one, name), getattr(other, name)) == (name not in changed), name


def test_another_process_draws_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, TEN_LINES)
    code = (
        "import sys; from simulations.planning import calls, scenario;"
        "made = calls.made(scenario.read(sys.argv[1]), 5); sys.stdout.write(made.lat.tobytes().hex())"
    )
    told = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True, text=True)
    assert told.stdout == calls.made(read(path), 5).lat.tobytes().hex()
