"""A region that is the wrong way round is a valid one elsewhere: what should lie in it says so."""

from pathlib import Path

import pytest

from simulations.planning.scenario import ScenarioError
from tests.planning.scenarios import AREA, MEDICS, RATE, cells_around, scenario

WRONG_WAY = "[region]\nbbox = [-6.35, 53.30, -6.15, 53.40]\n"
OF_A_FILE = "[region]\ngeojson = 'area.json'\n"
HERE = cells_around(53.35, -6.25, resolution=9, rings=1)
FILES = {
    "area_json": '{"type": "Polygon", "coordinates": [[[53, -7], [54, -7], [54, -6], [53, -6], [53, -7]]]}',
    "people_csv": "h3,population\n" + "".join(f"{cell},10\n" for cell in HERE),
    "rates_csv": "h3,per_year\n" + "".join(f"{cell},10\n" for cell in HERE),
    "calls_csv": "lat,lon,time,kind\n53.35,-6.25,2025-01-05 12:00,choking\n",
    "medics_csv": "lat,lon\n53.35,-6.25\n53.36,-6.26\n",
}


@pytest.mark.parametrize("region", [WRONG_WAY, OF_A_FILE])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (MEDICS + RATE + "[grid]\ncsv = 'people.csv'\n", "people.csv: has nobody in the region"),
        (MEDICS + "[incidents]\nrates = 'rates.csv'\n", "lies outside the region with 7 of its cells"),
        (MEDICS + "[incidents]\ncsv = 'calls.csv'\nclock = 'UTC'\n", "calls.csv: has no call in the region"),
        ("[medics]\ncsv = 'medics.csv'\n" + RATE, "medics.csv: has no home in the region"),
    ],
)
def test_it_is_told(tmp_path: Path, region: str, text: str, told: str) -> None:
    with pytest.raises(ScenarioError) as error:
        scenario(tmp_path, region + text, **FILES)
    assert told in str(error.value)
    assert "with latitude and longitude exchanged it would be inside: bbox is south, west" in str(error.value)


def test_of_the_collisions_too(tmp_path: Path) -> None:
    ireland = "[region]\nbbox = [-11.0, 51.0, -5.0, 56.0]\n"
    with pytest.raises(
        ScenarioError, match=r"none lies in the region; with latitude and longitude exchanged"
    ):
        scenario(tmp_path, ireland + MEDICS + "[incidents]\ncollisions = 'ireland'\n")


def test_medics_may_live_outside_and_a_guess_is_not_made(tmp_path: Path) -> None:
    text = AREA + "[medics]\ncsv = 'medics.csv'\n" + RATE
    assert scenario(tmp_path, text, medics_csv="lat,lon\n" + 3 * "53.50,-6.25\n").medic_count == 3
    with pytest.raises(ScenarioError) as error:
        scenario(
            tmp_path,
            AREA + MEDICS + "[incidents]\ncsv = 'calls.csv'\nclock = 'UTC'\n",
            calls_csv="lat,lon,time,kind\n1,2,2025-01-05 12:00,choking\n",
        )
    assert "lies outside the region: 1.0, 2.0" in str(error.value)
    assert "exchanged" not in str(error.value)
