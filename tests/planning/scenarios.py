"""Scenario files for tests."""

from pathlib import Path

import h3.api.basic_int as h3

from simulations.planning.scenario import Scenario, read

TEN_LINES = """
[region]
bbox = [53.30, -6.35, 53.40, -6.15]

[medics]
count = 500

[incidents]
per_year = 800
"""

AREA = "[region]\nbbox = [53.30, -6.35, 53.40, -6.15]\n"
MEDICS = "[medics]\ncount = 500\n"
RATE = "[incidents]\nper_year = 800\n"


def written(folder: Path, text: str, **files: str) -> Path:
    """The scenario's file beside others: ``calls_csv`` is written to `calls.csv`."""
    for name, content in files.items():
        folder.joinpath(name.replace("_", ".")).write_text(content, "utf-8")
    path = folder / "scenario.toml"
    path.write_text(text, "utf-8")
    return path


def scenario(folder: Path, text: str, *, skip_bad_rows: bool = False, **files: str) -> Scenario:
    return read(written(folder, text, **files), skip_bad_rows=skip_bad_rows)


def cells_around(lat: float, lon: float, *, resolution: int, rings: int) -> list[str]:
    middle = h3.latlng_to_cell(lat, lon, resolution)
    return [h3.int_to_str(cell) for cell in sorted(h3.grid_disk(middle, rings))]
