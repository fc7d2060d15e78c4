"""What lies in a region, how large it is, and points drawn evenly from it."""

import json
from pathlib import Path

import numpy as np
import pytest

from simulations.planning import calls
from simulations.planning.cell_points import cells_at
from simulations.planning.charts import outlines
from simulations.planning.scenario import ScenarioError
from tests.planning.scenarios import MEDICS, RATE, cells_around, scenario

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
HOLE = [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75], [0.25, 0.25]]
GEOJSON = "[region]\ngeojson = 'area.json'\n"


def polygon(*rings: list[list[float]]) -> str:
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": rings}}
    return json.dumps({"type": "FeatureCollection", "features": [feature]})


def test_a_polygon_with_a_hole(tmp_path: Path) -> None:
    rates = "[incidents]\nper_year = 20000\n"
    held = scenario(tmp_path, GEOJSON + MEDICS + rates, area_json=polygon(SQUARE, HOLE))
    region = held.region
    inside = region.holds(np.array([0.1, 0.5, 0.5, 2.0]), np.array([0.1, 0.5, 0.1, 0.1]))
    assert inside.tolist() == [True, False, True, False]
    assert region.area_km2 == pytest.approx(0.75 * 111.195**2, rel=1e-3)
    made = calls.made(held, 0)
    assert region.holds(made.lat, made.lon).all()
    assert ((made.lat < 0.25).mean(), (made.lon < 0.25).mean()) == pytest.approx((1 / 3, 1 / 3), abs=0.02)


def collection(*geometries: dict[str, object] | None) -> str:
    features = [{"type": "Feature", "properties": {}, "geometry": one} for one in geometries]
    return json.dumps({"type": "FeatureCollection", "features": features})


def test_what_two_polygons_hold_lies_in_the_region_and_counts_once(tmp_path: Path) -> None:
    """Each holds one square degree, a quarter of it with the other."""
    moved = [[lon + 0.5, lat + 0.5] for lon, lat in SQUARE]
    both = collection(*({"type": "Polygon", "coordinates": [ring]} for ring in (SQUARE, moved, SQUARE)))
    region = scenario(tmp_path, GEOJSON + MEDICS + RATE, area_json=both).region
    places = np.array([0.25, 0.75, 1.25, 1.25]), np.array([0.25, 0.75, 1.25, 0.25])
    assert region.holds(*places).tolist() == [True, True, True, False]
    assert region.area_km2 == pytest.approx(1.75 * 111.195**2, rel=1e-3)


def test_features_without_a_place_are_passed_over(tmp_path: Path) -> None:
    square = {"type": "Polygon", "coordinates": [SQUARE]}
    mixed = scenario(tmp_path, GEOJSON + MEDICS + RATE, area_json=collection(None, square, None)).region
    assert (
        mixed.area_km2
        == scenario(tmp_path, GEOJSON + MEDICS + RATE, area_json=polygon(SQUARE)).region.area_km2
    )
    with pytest.raises(ScenarioError, match="holds no Polygon or MultiPolygon with an area"):
        scenario(tmp_path, GEOJSON + MEDICS + RATE, area_json=collection(None, None))


def test_cells_of_a_file(tmp_path: Path) -> None:
    cells = cells_around(53.35, -6.25, resolution=7, rings=1)
    text = "[region]\nh3 = 'cells.csv'\n" + MEDICS + "[incidents]\nper_year = 20000\n"
    held = scenario(tmp_path, text, cells_csv="h3\n" + "\n".join(cells))
    assert held.region.area_km2 == pytest.approx(7 * 5.16, rel=0.25)
    made = calls.made(held, 0)
    assert held.region.holds(made.lat, made.lon).mean() > 0.999  # an edge is no straight line in degrees
    by_cell = np.unique(cells_at(made.lat, made.lon, 7), return_counts=True)[1]
    assert by_cell[by_cell > 10] / len(made) == pytest.approx([1 / 7] * 7, abs=0.02)


def test_cells_across_the_180th_meridian_are_one_region(tmp_path: Path) -> None:
    """Taveuni lies on it."""
    cells = cells_around(-16.85, 180.0, resolution=7, rings=2)
    region, grid = "[region]\nh3 = 'cells.csv'\n", "[grid]\ncsv = 'people.csv'\n"
    held = scenario(
        tmp_path,
        f"{region}{grid}{MEDICS}[incidents]\nper_year = 20000\n",
        cells_csv="\n".join(cells),
        people_csv="h3,population\n" + "".join(f"{one},10\n" for one in cells),
    )
    assert held.region.area_km2 == pytest.approx(19 * 5.16, rel=0.25)
    spread = held.region.points(5_000, lambda rows, nth: np.random.default_rng(nth).random(len(rows)))
    made = calls.made(held, 0)
    for lat, lon in (spread, (made.lat, made.lon)):
        assert np.abs(lon).max() <= 180
        assert held.region.holds(lat, lon).mean() > 0.999  # an edge is no straight line in degrees
        assert 0.3 < (lon > 0).mean() < 0.7
    assert held.grid is not None
    drawn = [lon for one in outlines(held.grid.cells, 179.99) for lon, _ in one]
    assert max(drawn) - min(drawn) < 0.3


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is no GeoJSON that can be used"),
        ("[1]", "is no GeoJSON that can be used"),
        ('{"type": "Point", "coordinates": [0, 0]}', "holds no Polygon or MultiPolygon with an area"),
        (polygon(SQUARE[:2]), "a ring has at least four positions"),
        (polygon([[0, 0], [0, 0], [0, 0], [0, 0]]), "holds no Polygon or MultiPolygon with an area"),
        (
            polygon([[179.5, -17], [-179.5, -17], [-179.5, -16], [179.5, -16], [179.5, -17]]),
            "a side goes more than half around the earth; across the 180th meridian give the region's cells",
        ),
        (polygon([[0, 100], [1, 100], [1, 101], [0, 100]]), "a position is longitude, latitude in degrees"),
    ],
)
def test_a_geojson_file_that_is_none(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(ScenarioError) as error:
        scenario(tmp_path, GEOJSON + MEDICS + RATE, area_json=content)
    assert told in str(error.value)
    assert "area.json" in str(error.value)


def test_geojson_that_is_nested_without_end(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="is no GeoJSON that can be used"):
        scenario(tmp_path, GEOJSON + MEDICS + RATE, area_json="[" * 100_000)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("h3\n", "holds no cell"),
        ("h3\nabc\n", "no H3 cell: 'abc'"),
        (
            "\n".join(cells_around(1, 1, resolution=8, rings=0) + cells_around(1, 1, resolution=9, rings=0)),
            "several",
        ),
    ],
)
def test_a_cell_file_that_is_none(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        scenario(tmp_path, "[region]\nh3 = 'cells.csv'\n" + MEDICS + RATE, cells_csv=content)
