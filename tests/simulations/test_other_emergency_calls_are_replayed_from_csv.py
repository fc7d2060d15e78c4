"""`--calls FILE.csv`: columns are found or named, bad rows are listed, an unusable file is one clear line."""

from collections import Counter
from pathlib import Path

import pytest

from simulations.calls import CallColumns, UnusableFile, read_calls

MONTGOMERY = Path(__file__).parents[3] / "shared" / "data" / "montgomery_911_calls.csv"


def written(folder: Path, text: str) -> Path:
    path = folder / "calls.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.skipif(
    not MONTGOMERY.exists(), reason="needs ../shared/data/montgomery_911_calls.csv, absent here"
)
def test_montgomery_countys_911_calls():
    held = read_calls(MONTGOMERY)
    assert Counter(call.kind for call in held.calls) == {
        "traffic_accident": 814,
        "other": 497,
        "trauma": 207,
        "unconscious": 98,
        "cardiac_arrest": 16,
        "choking": 4,
    }
    assert held.not_medical.total() == 804
    assert held.bad_rows == []
    assert sum(count for title, count in held.not_medical.items() if title.startswith("Fire:")) == 287
    assert held.calls[0].at_s == 0.0
    assert held.calls == sorted(held.calls, key=lambda call: call.at_s)


def test_calls_come_in_order_of_their_own_times(tmp_path):
    path = written(
        tmp_path,
        "Latitude;Longitude;Timestamp;Type;Address\n"
        "52.1;5.1;2024-03-01T12:01:30Z;choking;Domplein 1\n"
        "52.2;5.2;2024-03-01T13:00:00+01:00;Cardiac or respiratory arrest;\n",
    )
    later, earlier = reversed(read_calls(path).calls)
    assert (earlier.kind, earlier.at_s, earlier.address) == ("cardiac_arrest", 0.0, None)
    assert (later.kind, later.at_s, later.address) == ("choking", 90.0, "Domplein 1")


def test_columns_can_be_named(tmp_path):
    path = written(tmp_path, "noord,oost,unix,wat\n52.1,5.1,1700000000,choking\n")
    columns = CallColumns(lat="noord", lon="oost", time="unix", kind="wat")
    assert [call.kind for call in read_calls(path, columns).calls] == ["choking"]


def test_bad_rows_are_listed_with_their_line_and_reason(tmp_path):
    rows = [
        "lat,lon,time,title",
        "91,5,2024-01-01,choking",
        "nan,5,2024-01-01,choking",
        "abc,5,2024-01-01,choking",
        "0,0,2024-01-01,choking",
        "52,5,noon,choking",
        "52,5,2024-01-01,",
        "52",
        "",
        '52,5,2024-01-01,"choking"',
    ]
    held = read_calls(written(tmp_path, "\n".join(rows)))
    assert len(held.calls) == 1
    assert [bad.line for bad in held.bad_rows] == [2, 3, 4, 5, 6, 7, 8]
    assert "out of range" in held.bad_rows[0].reason
    assert held.report().startswith("1 calls, 0 not medical, 7 bad rows\n  line 2: lat is out of range: 91")


def test_a_long_list_of_bad_rows_is_cut(tmp_path):
    held = read_calls(written(tmp_path, "lat,lon,time,kind\n52,5,2024-01-01,x\n" + "x,5,2024-01-01,x\n" * 50))
    assert held.report().endswith("\n  and 30 more")
    assert len(held.report().splitlines()) == 22


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no column for lat"),
        ("lat,lon,title\n1,2,choking\n", "name it with --calls-time-column"),
        ("lat,lon,time,title\n", "nothing to replay"),
        ("lat,lon,time,title\n52,5,2024-01-01,Fire: ALARM\n", "1 not medical"),
        ("\x00\x01\x02", "no column for lat"),
        ('"a\nb",lat,lon,time\n', "no column for kind"),
        ("lat;lon;time;kind\n52,1;5,1;2024-01-01;choking\n", "line 2: lat is no number: '52,1'"),
    ],
)
def test_an_unusable_file_is_one_clear_line(tmp_path, text, says):
    with pytest.raises(UnusableFile, match=says) as refused:
        read_calls(written(tmp_path, text))
    assert "\n" not in str(refused.value)


def test_a_quote_that_is_never_closed_does_not_swallow_the_calls_after_it(tmp_path):
    """Read on, it would be one call instead of three, and nobody would know."""
    rows = '53,5,2024-01-01,choking\n53,5,2024-01-01,"fall\n53,5,2024-01-01,choking\n'
    with pytest.raises(UnusableFile, match="row from line 3 on has a quote that is never closed"):
        read_calls(written(tmp_path, "lat,lon,time,kind\n" + rows))
    closed = written(tmp_path, "lat,lon,time,kind\n" + rows + '"')
    assert len(read_calls(closed).calls) == 2


def test_a_file_in_utf_16_is_told_for_one(tmp_path):
    path = tmp_path / "calls.csv"
    path.write_text("lat,lon,time,kind\n52,5,2024-01-01,choking\n", encoding="utf-16")
    with pytest.raises(UnusableFile, match="is UTF-16"):
        read_calls(path)


def test_a_named_column_that_is_absent_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(UnusableFile, match="--calls-lat-column"):
        read_calls(written(tmp_path, "lat,lon,time,kind\n"), CallColumns(lat="breedte"))
    with pytest.raises(UnusableFile, match="cannot be read"):
        read_calls(tmp_path / "absent.csv")
