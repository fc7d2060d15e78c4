"""Rows of a CSV that can not be used: counted, listed with line and reason, refused or left out."""

from pathlib import Path

import pytest

from simulations.planning import calls
from simulations.planning.scenario import ScenarioError
from tests.planning.scenarios import AREA, MEDICS, RATE, TEN_LINES, cells_around, scenario

CALLS = """lat,lon,time,title
53.35,-6.25,2025-07-01 12:00,cardiac arrest
x,-6.25,2025-07-01 12:00,cardiac arrest
53.35,-6.25,soon,cardiac arrest
53.35,-6.25,2025-07-01 12:00,
51.00,-6.25,2025-07-01 12:00,cardiac arrest
53.35,-999,2025-07-01 12:00,cardiac arrest
53.35,-6.25,1751371200000,cardiac arrest
53.35,-6.25,1e300,cardiac arrest
53.35,-6.25,9999-12-31 23:59,cardiac arrest
"""
KEYS = f"{AREA}{MEDICS}[incidents]\ncsv = 'calls.csv'\nclock = 'UTC'\n"
REASONS = (
    "line 3: lat is no number: 'x'",
    "line 4: time is neither ISO 8601 nor Unix seconds: 'soon'",
    "line 5: no title",
    "line 6: lies outside the region: 51.0, -6.25",
    "line 7: lon is out of range: -999",
    "line 8: time is not within the years 1900 to 2199: '1751371200000'",
    "line 9: time is not within the years 1900 to 2199: '1e300'",
    "line 10: time is not within the years 1900 to 2199: '9999-12-31 23:59'",
)


def test_they_are_refused_with_their_number_and_the_first(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as error:
        scenario(tmp_path, KEYS, calls_csv=CALLS)
    assert f"calls.csv: 8 of 9 rows can not be used ({REASONS[0]}); --skip-bad-rows leaves them out" in str(
        error.value
    )
    assert error.value.listed == REASONS


def test_or_left_out_and_listed(tmp_path: Path) -> None:
    held = scenario(tmp_path, KEYS, calls_csv=CALLS, skip_bad_rows=True)
    assert held.notes[0].endswith("calls.csv: 8 of 9 rows left out")
    assert [note.strip() for note in held.notes[1:]] == list(REASONS)
    assert calls.made(held, 0).recognised.sum() == 1


def test_many_are_counted_and_only_the_first_listed(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as error:
        scenario(tmp_path, KEYS, calls_csv=CALLS + "1,2,3,4\n" * 100)
    assert "108 of 109 rows" in str(error.value)
    assert len(error.value.listed) == 21
    assert error.value.listed[-1] == "and 88 more"


def test_a_file_without_a_row_that_can_be_used_is_refused_even_so(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="has no row that can be used"):
        scenario(tmp_path, KEYS, calls_csv="lat,lon,time,title\nx,y,z,a\n", skip_bad_rows=True)
    with pytest.raises(ScenarioError, match=r"has no column lat or latitude or y \(has: none\)"):
        scenario(tmp_path, KEYS, calls_csv="")


def test_every_other_file_too(tmp_path: Path) -> None:
    cell, next_cell = cells_around(53.35, -6.25, resolution=8, rings=1)[:2]
    fine = cells_around(53.35, -6.25, resolution=9, rings=0)[0]
    grid = f"h3,population\n{cell},5\n{cell},5\nnowhere,3\n{next_cell},-1\n{fine},3\n{next_cell},1e308\n"
    with pytest.raises(ScenarioError) as error:
        scenario(tmp_path, TEN_LINES + "[grid]\ncsv = 'grid.csv'\n", grid_csv=grid)
    assert error.value.listed == (
        f"line 3: cell {cell} comes twice",
        "line 4: no H3 cell: 'nowhere'",
        "line 5: population is not within 0 to 1e+10: -1",
        "line 6: is of another resolution than the first",
        "line 7: population is not within 0 to 1e+10: 1e308",
    )
    with pytest.raises(ScenarioError, match=r"line 2: mode is none of foot, bicycle, car: 'boat'"):
        scenario(tmp_path, f"{AREA}[medics]\ncsv = 'm.csv'\n{RATE}", m_csv="lat,lon,mode\n53.3,-6.2,boat\n")
    with pytest.raises(ScenarioError, match=r"line 2: to_kerb_s is no number: 'fast'"):
        scenario(tmp_path, TEN_LINES + "[ambulance]\ncsv = 'a.csv'\n", a_csv="to_kerb_s\nfast\n")
    text = f"{AREA}{MEDICS}[incidents]\nrates = 'r.csv'\n"
    with pytest.raises(ScenarioError, match=r"line 2: hour is not within 0 \(Monday 0:00\) to 167: '168'"):
        scenario(tmp_path, text, r_csv=f"h3,hour,per_year\n{cell},168,1\n")
    twice = f"h3,hour,per_year\n{cell},,5\n{cell},7,5\n{cell},,5\n{cell},7,5\n"
    with pytest.raises(ScenarioError) as error:
        scenario(tmp_path, text, r_csv=twice)
    assert error.value.listed == (
        f"line 4: cell {cell} comes twice",
        f"line 5: cell {cell} comes twice in hour 7",
    )
    with pytest.raises(ScenarioError, match=r"line 2: per_year is not within 0 to 1e\+07: 1e308"):
        scenario(tmp_path, text, r_csv=f"h3,per_year\n{cell},1e308\n")


def test_rows_that_are_another_again_are_counted_and_none_is_left_out(tmp_path: Path) -> None:
    """Two collisions, or the homes of two medics, may be alike: only who made the file knows."""
    row, other = "53.35,-6.25,2025-07-01 12:00,cardiac arrest\n", "53.36,-6.25,2025-07-01 12:00,fall\n"
    bad, outside = "x,-6.25,2025-07-01 12:00,fall\n", "51.00,-6.25,2025-07-01 12:00,fall\n"
    rows = "lat,lon,time,title\n" + row + other + bad + row + bad + outside + row + outside
    held = scenario(tmp_path, KEYS, calls_csv=rows, skip_bad_rows=True)
    assert held.notes[-1].partition("calls.csv: ")[2] == (
        "exact copies of a row before: 2 of 4 rows, line 5 the first; each is taken for a call of its own"
    )
    assert calls.made(held, 0).recognised.sum() == 4
    homes = "id,lat,lon\n" + "1,53.35,-6.25\n" * 2 + "2,53.35,-6.25\n"
    listed = scenario(tmp_path, f"{AREA}[medics]\ncsv = 'm.csv'\n{RATE}", m_csv=homes)
    assert [note.partition("m.csv: ")[2] for note in listed.notes] == [
        "exact copies of a row before: 1 of 3 rows, line 3 the first; each is taken for a medic of her own"
    ]
    assert listed.medic_count == 3


def test_drives_that_last_as_long_are_no_copies(tmp_path: Path) -> None:
    held = scenario(tmp_path, TEN_LINES + "[ambulance]\ncsv = 'a.csv'\n", a_csv="to_kerb_s\n600\n600\n")
    assert held.notes == ()


def test_a_column_is_what_the_guide_calls_it_and_stands_once(tmp_path: Path) -> None:
    """A response time holds the time to dispatch, which would be added once more."""
    ambulance = TEN_LINES + "[ambulance]\ncsv = 'a.csv'\n"
    with pytest.raises(ScenarioError, match=r"has no column to_kerb_s \(has: response_s\)"):
        scenario(tmp_path, ambulance, a_csv="response_s\n600\n")
    with pytest.raises(ScenarioError, match=r"a\.csv: has the column to_kerb_s 2 times"):
        scenario(tmp_path, ambulance, a_csv="to_kerb_s,To_Kerb_s\n600,700\n")


def test_people_outside_the_region_are_told(tmp_path: Path) -> None:
    cells = cells_around(53.35, -6.25, resolution=8, rings=0) + cells_around(48, 2, resolution=8, rings=1)
    grid = "h3,population\n" + "".join(f"{cell},10\n" for cell in cells)
    held = scenario(tmp_path, TEN_LINES + "[grid]\ncsv = 'grid.csv'\n", grid_csv=grid)
    (note,) = held.notes
    assert note.endswith("7 of 8 cells lie outside the region and are left out, with 87.5 % of the people")


def test_a_grid_or_rates_outside_the_region_are_refused(tmp_path: Path) -> None:
    far = cells_around(48.0, 2.0, resolution=8, rings=0)[0]
    with pytest.raises(ScenarioError, match=r"grid\.csv: has nobody in the region"):
        scenario(tmp_path, TEN_LINES + "[grid]\ncsv = 'grid.csv'\n", grid_csv=f"h3,population\n{far},5\n")
    text = f"{AREA}{MEDICS}[incidents]\nrates = 'r.csv'\n"
    with pytest.raises(ScenarioError, match=f"lies outside the region with 1 of its cells, {far} the first"):
        scenario(tmp_path, text, r_csv=f"h3,per_year\n{far},5\n")


def test_a_quote_that_is_never_closed_is_told_with_the_line_where_its_row_begins(tmp_path: Path) -> None:
    """Where the reader finds it out is the file's end, some thousand lines later."""
    rows = CALLS.splitlines()[:2] * 2 + ['53.35,-6.25,2025-07-01 12:00,"fall', *CALLS.splitlines()[1:2] * 9]
    with pytest.raises(ScenarioError, match=r"is not a CSV file \(the row from line 5 on: "):
        scenario(tmp_path, KEYS, skip_bad_rows=True, calls_csv="\n".join(rows))
