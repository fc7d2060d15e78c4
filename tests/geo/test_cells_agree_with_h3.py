"""Cells are H3's cells, and a cell's covering radius covers it."""

from pathlib import Path

import h3.api.basic_int as h3
import numpy as np
import pytest

from geo import cells
from geo.distance import distance_m

VECTORS = Path(__file__).parents[2].parent / "shared" / "data" / "h3_vectors"
needs_vectors = pytest.mark.skipif(not VECTORS.exists(), reason="../shared/data/h3_vectors is not here")


def eastward(lon: float) -> float:
    """H3's files count longitudes from 0 to 360."""
    return lon - 360.0 if lon > 180.0 else lon


@pytest.mark.parametrize(
    ("lat", "lon", "resolution", "cell"),
    [
        (
            52.516262,
            13.377704,
            8,
            0x881F1D4887FFFFF,
        ),  # Brandenburg Gate: Snowflake's H3_LATLNG_TO_CELL reference
        (37.3615593, -122.0553238, 7, 0x87283472BFFFFFF),  # h3-js, README
        (37.7752702151959257, -122.418307270836565, 9, 0x8928308280FFFFF),  # H3's documentation, quick start
        (37.345793375368, -121.976375972551, 5, 0x85283473FFFFFFF),  # h3-js, README: the centre of the cell
    ],
)
def test_published_cells(lat, lon, resolution, cell):
    assert cells.cell_at(lat, lon, resolution) == cell


def test_published_centre():
    assert cells.centre(0x85283473FFFFFFF) == pytest.approx(
        (37.345793375368, -121.976375972551)
    )  # h3-js, README


@needs_vectors
@pytest.mark.parametrize(("file", "resolution"), [("rand07centers.txt", 7), ("rand09centers.txt", 9)])
def test_h3s_random_points(file, resolution):
    lines = (VECTORS / file).read_text().split("\n")
    rows = [line.split() for line in lines if line]
    assert len(rows) == 5000
    for cell, lat, lon in rows:
        assert cells.cell_at(float(lat), eastward(float(lon)), resolution) == int(cell, 16)


@needs_vectors
def test_h3s_boundaries_below_a_pentagon():
    blocks = (VECTORS / "bc05r08cells.txt").read_text().split("}")
    checked = 0
    for block in filter(str.strip, blocks):
        name, corners = block.split("{")
        expected = [tuple(map(float, line.split())) for line in corners.strip().split("\n")]
        corners_here = cells.boundary(int(name.strip(), 16))
        assert len(corners_here) == len(expected)
        for lat, lon in expected:
            assert min(distance_m(lat, eastward(lon), *corner) for corner in corners_here) < 0.01
        checked += 1
    assert checked > 5


@pytest.mark.parametrize("resolution", [0, 1, 2, 5, 8, 9, 12, 15])
def test_the_covering_radius_covers_the_cell(resolution):
    """Points everywhere, and most of them near pentagons and near corners, where a cell reaches farthest."""
    rng = np.random.default_rng(resolution)
    pentagons = h3.get_pentagons(resolution)
    nearest_to_edge = 0.0
    for i in range(1500):
        if i % 3 == 0:
            lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1))), rng.uniform(-180, 180)
        else:
            lat, lon = cells.centre(pentagons[i % 12])
            spread = rng.exponential() * np.degrees(cells.covering_radius_m(pentagons[i % 12]) / 6.371e6)
            lat, lon = np.clip(lat + rng.normal() * spread, -90, 90), lon + rng.normal() * spread
        lon = (lon + 180) % 360 - 180
        cell = cells.cell_at(lat, lon, resolution)
        if i % 2:
            corners = cells.boundary(cell)
            corner = corners[i % len(corners)]
            cell = cells.cell_at(*corner, resolution)
            lat, lon = corner
        share = distance_m(lat, lon, *cells.centre(cell)) / cells.covering_radius_m(cell)
        assert share <= 1.0
        nearest_to_edge = max(nearest_to_edge, share)
    assert nearest_to_edge > 0.999


def test_parents():
    cell = cells.cell_at(52.09, 5.12, 9)
    ancestors = cells.parents(cell)
    assert [h3.get_resolution(ancestor) for ancestor in ancestors] == [8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert ancestors[2] == cells.parent(cell, 6)
    assert cells.parent(cell, 9) == cell
    with pytest.raises(ValueError, match="10"):
        cells.parent(cell, 10)
    with pytest.raises(ValueError, match="resolution 16"):
        cells.cell_at(52.0, 5.0, 16)
