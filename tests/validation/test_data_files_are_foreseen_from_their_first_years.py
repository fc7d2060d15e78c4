"""Fitted on the first eight years, looked at on the rest; what is absent is skipped, with the reason."""

import numpy as np
import pytest

from simulations.validation import data, data_files
from simulations.validation.__main__ import main

HOURS = 11 * 8766


def write(folder, name, header, rows):
    folder.joinpath(name).write_text("\n".join([header, *(",".join(map(str, row)) for row in rows), ""]))


def arrests_file(folder, *, later=1.0):
    """One in seven hours, twice as often by day; from the ninth year on ``later`` times as often."""
    chance = np.random.default_rng(2)
    hours = np.arange(HOURS)
    rate = np.where(hours % 24 < 8, 0.08, 0.16) * np.where(hours < 8 * 8766, 1.0, later)
    hours = np.repeat(hours, chance.poisson(rate))
    at_h = np.sort(hours + chance.random(len(hours)))
    drive_h = chance.lognormal(-2.2, 0.4, len(at_h))
    drive_h[::1000] += 24.0
    rows = zip(at_h, np.zeros(len(at_h)), np.zeros(len(at_h)), at_h + drive_h, strict=True)
    write(folder, data.ARRESTS, "dispatch_h,lat,lon,ambulance_arrival_h", rows)


def answers_file(folder, *, second_s=40.0):
    chance = np.random.default_rng(3)
    kinds = chance.choice(3, 8000, p=(0.2, 0.35, 0.45))
    delays = chance.lognormal(np.log(np.where(kinds == 2, second_s, 40.0)), 0.48)
    rows = ((kind, delay if kind else "") for kind, delay in zip(kinds, delays, strict=True))
    write(folder, data.RESPONSES, "response,delay_s", rows)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(data.FOLDER, str(tmp_path))
    return tmp_path


def outside():
    return [line.line() for line in data_files.checks(drawn=50) if not line.agrees]


def test_files_that_go_on_as_they_began_are_foreseen(folder):
    arrests_file(folder)
    answers_file(folder)
    assert outside() == []


def test_files_that_change_are_not(folder):
    arrests_file(folder, later=1.3)
    answers_file(folder, second_s=60.0)
    found = " ".join(outside())
    assert "arrests after the eighth year, calls" in found
    assert "delay of answer 2, last 30 %" in found
    assert "delay of answer 1" not in found


def test_drives_that_cannot_be_right_are_left_out_and_counted(folder):
    arrests_file(folder)
    at_h, drive_min = data.arrests()
    assert np.isnan(drive_min).sum() == -(-len(at_h) // 1000)
    assert np.nanmax(drive_min) < 120


def test_the_files_themselves_are_foreseen():
    try:
        data.responses(), data.arrests()
    except data.Absent as absent:
        pytest.skip(str(absent))
    assert outside() == []


def test_absent_files_are_skipped_with_the_reason(folder, capsys):
    assert main(["data_files", "van_den_berg", "--data", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    for line in lines:
        assert line.startswith("skip  ")
        assert ": needs " in line
