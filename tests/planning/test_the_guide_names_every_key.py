"""docs/simulation.md: each key of a scenario is in it with its default, and its scenario is one."""

import re
from pathlib import Path

import pytest

from simulations.planning.keys import numbers, read_keys
from simulations.planning.scenario import read
from tests.planning.scenarios import TEN_LINES, cells_around, written

GUIDE = (Path(__file__).parents[2] / "docs" / "simulation.md").read_text("utf-8")
DEFAULTS = read_keys(TEN_LINES, "scenario.toml")
SECTIONS = ("arrests", "times", "ambulance", "behaviour")
ROWS = [line for line in GUIDE.splitlines() if line.startswith("| `")]


def keys_in_order(section: str) -> list[str]:
    return list(getattr(DEFAULTS, section).__struct_fields__)


@pytest.mark.parametrize("section", ["region", "grid", "medics", "incidents", *SECTIONS])
def test_a_section_has_a_row_for_each_key(section: str) -> None:
    page = GUIDE.split(f"### `[{section}]`")[1].split("\n##")[0]
    for key in keys_in_order(section):
        short = key.replace("kerb_to_patient_flat_s", "_flat_s")
        assert f"`{short}`" in page, key


def test_the_files_own_keys_have_rows() -> None:
    for key in ("title", "seed", "replications", "stop_within_s", "weeks", "starts", "time_zone"):
        assert any(row.startswith(f"| `{key}` |") for row in ROWS), key


@pytest.mark.parametrize("section", SECTIONS)
def test_numbers_are_the_defaults(section: str) -> None:
    page = GUIDE.split(f"### `[{section}]`")[1].split("\n##")[0]
    for key, value in numbers(getattr(DEFAULTS, section)):
        name = key.split(".")[0].replace("kerb_to_patient_flat_s", "_flat_s")
        row = next(line for line in page.splitlines() if line.startswith("|") and f"`{name}`" in line)
        assert value in [float(text) for text in re.findall(r"-?\d+(?:\.\d+)?", row)], (
            f"{key} = {value:g}: {row}"
        )


def test_the_walks_scenario_is_one(tmp_path: Path) -> None:
    first, grid, policies, fewer = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)[:4]
    cells = cells_around(52.09, 5.12, resolution=8, rings=3)
    people = "h3,population\n" + "".join(f"{cell},{n}\n" for n, cell in enumerate(cells))
    held = read(written(tmp_path, first + grid + policies, people_csv=people, fewer_toml=fewer))
    assert list(held.policies) == ["now", "fewer"]
    assert held.grid is not None
    assert held.policies["fewer"]["cardiac_arrest"].alerts_max == 15
