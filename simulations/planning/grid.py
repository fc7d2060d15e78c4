"""Where people live and work, by H3 cell: medics and calls are drawn from the same grid."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulations.planning.cell_points import CellPoints, cell_of, resolution_of
from simulations.planning.errors import ScenarioError
from simulations.planning.records import Cells, Floats
from simulations.planning.region import Region, exchanged
from simulations.planning.table import BadRows, Row, amount, read_rows

COLUMNS = {
    "h3": ("h3", "cell", "h3_index"),
    "population": ("population", "people", "residents"),
    "workers": ("workers", "jobs"),
}

PEOPLE_MAX = 10_000_000_000
"""In one cell; only proportions count, and sums stay finite."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Cells of the region with people in them. Weights are relative."""

    cells: Cells
    homes: Floats
    works: Floats
    """By where they work; as ``homes`` where the file does not say."""
    shapes: CellPoints


def read_grid(path: Path, region: Region, bad: BadRows) -> Grid:
    """The cells whose centre lies in ``region``; ``bad`` notes those outside. Raises `ScenarioError`."""
    seen: dict[int, None] = {}
    rows = read_rows(path, COLUMNS, ("h3", "population"), lambda row: _row(row, seen), bad)
    cells = np.array([cell for cell, _, _ in rows], dtype=np.uint64)
    weights = np.array([weights for _, *weights in rows], dtype=np.float64)
    shapes = CellPoints(cells)
    inside = region.holds(*shapes.centres)
    kept = inside & (weights.sum(axis=1) > 0)
    if not weights[kept, 0].sum() > 0:
        why = "" if inside.any() else exchanged(region, *shapes.centres)
        raise ScenarioError(str(path), "", f"has nobody in the region{why}")
    if not inside.all():
        people = weights[~inside, 0].sum() / weights[:, 0].sum()
        left_out = f"{(~inside).sum()} of {len(cells)} cells lie outside the region and are left out"
        bad.notes.append(f"{path}: {left_out}, with {100 * people:.3g} % of the people")
    most = weights[kept].max(axis=0)
    # The greatest is 1: a draw times a sum of the least floats may round up to the sum, which is no cell's.
    homes, works = (weights[kept] / np.where(most > 0, most, 1.0)).T
    return Grid(cells[kept], homes, works if most[1] else homes, CellPoints(cells[kept]))


def _row(row: Row, seen: dict[int, None]) -> tuple[int, float, float]:
    cell = cell_of(row["h3"])
    if seen and resolution_of([cell]) != resolution_of([next(iter(seen))]):
        raise ValueError("is of another resolution than the first")
    people = amount(row["population"], "population", PEOPLE_MAX)
    works = amount(row["workers"], "workers", PEOPLE_MAX) if row["workers"] else 0.0
    if cell in seen:
        raise ValueError(f"cell {row['h3']} comes twice")
    seen[cell] = None
    return cell, people, works
