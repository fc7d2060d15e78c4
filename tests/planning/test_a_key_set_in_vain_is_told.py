"""A key that changes nothing beside the others is told, and no assumption of the report's."""

from pathlib import Path

import pytest

from simulations.planning import assumptions
from simulations.planning.scenario import Scenario
from tests.planning.scenarios import AREA, MEDICS, RATE, TEN_LINES, scenario

CALLS = "[incidents]\ncsv = 'calls.csv'\nclock = 'UTC'\n"
LISTED = "[medics]\ncsv = 'medics.csv'\n"
DRIVES = "[ambulance]\ncsv = 'drives.csv'\n"
LOGIT, TURNOUT = "[behaviour]\nacceptance = 'logit'\n", "[behaviour]\nmovement = 'turnout'\n"


def read(folder: Path, text: str) -> Scenario:
    return scenario(
        folder,
        text,
        calls_csv="lat,lon,time,kind\n53.35,-6.25,2026-01-05 12:00,cardiac_arrest\n",
        medics_csv="lat,lon\n" + "".join(f"53.3{n},-6.26\n" for n in range(9)),
        drives_csv="to_kerb_s\n300\n",
        rates_csv="h3,hour,per_year\n88182c8db5fffff,3,5\n",
    )


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (TEN_LINES, []),
        ("stop_within_s = 5.0\n" + TEN_LINES, ["stop_within_s"]),
        ("stop_within_s = 5.0\nreplications = 31\n" + TEN_LINES, []),
        ("weeks = 8\nstarts = '2025-01-06'\n" + AREA + MEDICS + CALLS, ["weeks", "starts"]),
        ("weeks = 8\n" + AREA + MEDICS + CALLS + "resample = true\n", []),
        (AREA + MEDICS + CALLS + "kinds = { choking = 1.0 }\n", ["incidents.kinds"]),
        (TEN_LINES + "kinds = { choking = 1.0 }\ntaken_as = 'cardiac_arrest'\n", ["incidents.kinds"]),
        (AREA + LISTED + "places = 'evenly'\nworks = 0.1\n" + RATE, ["medics.places", "medics.works"]),
        (AREA + MEDICS + "works = 0.0\nwork_days = [6]\n" + RATE, ["medics.work_days"]),
        (AREA + MEDICS + "works = 0.9\nwork_days = []\n" + RATE, ["medics.works"]),
        (TEN_LINES + "taken_as = 'choking'\n[arrests]\ntrue_share = 0.4\n", ["arrests.true_share"]),
        (TEN_LINES + DRIVES + "to_kerb_s = 400.0\n", ["ambulance.to_kerb_s"]),
        (TEN_LINES + "[behaviour]\nlogit_per_km = -1.0\n", ["behaviour.logit_per_km"]),
        (TEN_LINES + LOGIT + "logit_per_km = -1.0\nmedic_effect_sd = 2.0\n", []),
        (TEN_LINES + "[behaviour]\nincident_effect_sd = 1.0\n", []),  # its effect is shown on and off
        (TEN_LINES + "[behaviour]\nturnout_s = 60.0\n", ["behaviour.turnout_s"]),
        (TEN_LINES + TURNOUT + "turnout_s = 60.0\nspeed_m_s = 2.0\n", ["behaviour.speed_m_s"]),
    ],
)
def test_a_key_set_in_vain_is_told(tmp_path: Path, text: str, keys: list[str]) -> None:
    held = read(tmp_path, text)
    told = [note.partition("scenario.toml: ")[2] for note in held.notes]
    assert [note.split()[0] for note in told] == keys
    assert all(" is set and changes nothing: " in note for note in told)
    assert not {one.key for one in assumptions.of(held.keys, held.kinds)} & set(keys)


def test_hours_beside_rates_that_have_hours_are_told(tmp_path: Path) -> None:
    by_hour = f"[incidents]\nrates = 'rates.csv'\nby_hour = {[1] * 24}\n"
    (note,) = read(tmp_path, AREA + MEDICS + by_hour).notes
    assert note.endswith("rates.csv: each rate has its hour: incidents.by_hour is set and changes nothing")


def test_what_is_not_in_use_is_not_taken_for_given(tmp_path: Path) -> None:
    held = read(tmp_path, TEN_LINES + TURNOUT)
    keys = {one.key for one in assumptions.of(held.keys, held.kinds)}
    assert {"behaviour.turnout_s", "behaviour.moving_m_s", "behaviour.incident_effect_sd"} <= keys
    assert not {"behaviour.speed_m_s", "behaviour.logit_per_km", "behaviour.medic_effect_sd"} & keys


def test_the_hours_of_rates_a_year_are_taken_for_given(tmp_path: Path) -> None:
    held = read(tmp_path, AREA + MEDICS + "[incidents]\nrates = 'rates.csv'\n")
    assert "incidents.by_hour" in {one.key for one in assumptions.of(held.keys, held.kinds)}


def test_a_ladder_that_a_policy_sets_is_told(tmp_path: Path) -> None:
    """The medics are reached over their app: with SMS first, nothing is later or sooner."""
    rungs = "{ channel = 'sms', after_s = 0 }, { channel = 'websocket', after_s = 20 }"
    tmp_path.joinpath("sms.toml").write_text(
        f"[cardiac_arrest]\nladder = [{rungs}]\n[trauma]\nladder = [{rungs}]\n"
    )
    policies = "[policies]\nnow = 'shipped'\nfirst = 'sms.toml'\n"
    (note,) = scenario(tmp_path, TEN_LINES + policies).notes
    assert "policies.first: sets the ladder of cardiac_arrest, and it changes nothing" in note
