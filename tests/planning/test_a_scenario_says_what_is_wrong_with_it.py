"""One line that names file, key and reason, for everything that can be wrong with a scenario."""

from pathlib import Path

import pytest

from simulations.planning.scenario import ScenarioError, read
from tests.planning.scenarios import AREA, MEDICS, RATE, TEN_LINES, written

CALLS = '[incidents]\ncsv = "calls.csv"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[region", "scenario.toml: not TOML"),
        (MEDICS + RATE, "scenario.toml: region: is missing"),
        ("region = 1\n" + MEDICS + RATE, "region: is a section: write it as [region]"),
        ("sed = 3" + TEN_LINES, "sed: unknown key; did you mean 'seed'?"),
        (AREA + "[medics]\ncuont = 5\n" + RATE, "medics.cuont: unknown key; did you mean 'medics.count'?"),
        (TEN_LINES + "true_share = 0.5\n", "incidents.true_share: unknown key; it belongs to [arrests]"),
        (TEN_LINES + "colour = 1\n", "incidents.colour: unknown key"),
        (AREA + "[medics]\ncount = 'many'\n" + RATE, "count: expected a whole number, got text in quotes"),
        (AREA + "[medics]\nper_km2 = true\n" + RATE, "medics.per_km2: expected a number, got true or false"),
        ("[region]\nbbox = [53.3, -6.3, 53.4]\n" + MEDICS + RATE, "bbox: expected a list of length 4, got 3"),
        (TEN_LINES + "[behaviour]\nmovement = 'fly'\n", "movement: 'fly' is none of overall, turnout"),
        (AREA + MEDICS + "[incidents]\ncollisions = 'uk'\n", "collisions: 'uk' is none of ireland"),
        (
            AREA + MEDICS + "[incidents]\nper_year = -1\n",
            "incidents.per_year: -1 is not within 0 to 10,000,000",
        ),
        (AREA + MEDICS + "[incidents]\nper_year = nan\n", "incidents.per_year: nan is not within"),
        (TEN_LINES + "[behaviour]\nseen = 1.2\n", "behaviour.seen: 1.2 is not within 0 to 1"),
        (TEN_LINES + "[arrests]\ntrue_share = 1.5\n", "arrests.true_share: 1.5 is not within 0 to 1"),
        (
            TEN_LINES + "[behaviour]\narrives_if_accepted = 0.9\n",
            "behaviour.withdraws_if_accepted: more than all",
        ),
        (TEN_LINES + "[ambulance]\nto_kerb_s = -5\n", "ambulance.to_kerb_s: -5 is not within 0 to 86,400"),
        (TEN_LINES + "[ambulance]\nto_kerb_sigma = 9\n", "ambulance.to_kerb_sigma: 9 is not within 0 to 3"),
        (AREA + "[medics]\ncount = 0\n" + RATE, "medics.count: 0 is not within 1 to 2,000,000"),
        (AREA + "[medics]\nper_km2 = 0.001\n" + RATE, "medics.per_km2: no medics: 148 km2 would have 0"),
        (AREA + "[medics]\n" + RATE, "medics: give one of count, per_km2, csv"),
        (AREA + "[medics]\ncount = 5\nper_km2 = 2\n" + RATE, "medics.per_km2: stands beside count"),
        (
            AREA + MEDICS + "modes = { foot = 0.5 }\n" + RATE,
            "medics.modes: the shares add up to 0.5, not to 1",
        ),
        (
            AREA + MEDICS + "modes = { boat = 1.0 }\n" + RATE,
            "medics.modes: 'boat' is no mode: foot, bicycle, car",
        ),
        (AREA + MEDICS + "available = [0.5, 0.6]\n" + RATE, "medics.available: one share, 24 by hour or 168"),
        (AREA + MEDICS + "available = 1.5\n" + RATE, "medics.available: 1.5 is not within 0 to 1"),
        (AREA + MEDICS + "places = 'grid'\n" + RATE, "medics.places: there is no grid"),
        (
            AREA + MEDICS + "places = 'incidents'\n" + RATE,
            "medics.places: 'incidents' needs incidents.csv or",
        ),
        ("[region]\nbbox = [53.4, -6.3, 53.3, -6.1]\n" + MEDICS + RATE, "region.bbox: is empty: south, west"),
        (
            "[region]\nbbox = [-18.3, 177.2, -16.5, -179.8]\n" + MEDICS + RATE,
            "each pair in this order; across the 180th meridian give the region's cells (region.h3)",
        ),
        ("[region]\nbbox = [53.4, -6.3, 153, -6.1]\n" + MEDICS + RATE, "region.bbox: is in degrees"),
        ("[region]\n" + MEDICS + RATE, "region: give one of bbox, geojson, h3"),
        ('[region]\nh3 = "no.csv"\n' + MEDICS + RATE, "no.csv: can not be read (No such file or directory)"),
        (AREA + MEDICS + "[incidents]\n", "incidents: give one of per_year, rates, csv, collisions"),
        (AREA + MEDICS + "[incidents]\nper_year = 0\n", "incidents: no calls at all: every rate is 0"),
        (TEN_LINES + "kinds = { trauma = 0.7 }\n", "incidents.kinds: the shares add up to 0.7, not to 1"),
        (TEN_LINES + "by_hour = [1, 2]\n", "incidents.by_hour: 2 weights: give 24 or 168"),
        (TEN_LINES + "clock = 'UTC'\n", "incidents.clock: is for the times of incidents.csv"),
        (AREA + MEDICS + CALLS, "incidents.clock: is missing: name the clock that the file's times are on"),
        (AREA + MEDICS + CALLS + "clock = 'Dublin'\n", "incidents.clock: 'Dublin' is no time zone"),
        ("time_zone = 'Mars'" + TEN_LINES, "time_zone: 'Mars' is no time zone"),
        (
            "seed = 1" + 400 * "0" + TEN_LINES,
            f"seed: 1{39 * '0'}... is not within 0 to 9,223,372,036,854,775,807",
        ),
        ("seed = 1" + 5000 * "0" + TEN_LINES, "scenario.toml: not TOML: "),
        ("seed = " + 5000 * "[" + TEN_LINES, "scenario.toml: not TOML: "),
        (AREA + "[medics]\ncount = 2000001\n" + RATE, "medics.count: 2000001 is not within 1 to 2,000,000"),
        (TEN_LINES + f"by_hour = {[1e308] * 24}\n", "incidents.by_hour: 1e+308 is not within 0 to 1,000,000"),
        ("starts = '9999-12-31'" + TEN_LINES, "starts: '9999-12-31' is not within the years 1900 to 2199"),
        ("starts = 'Monday'" + TEN_LINES, "starts: 'Monday' is no day like 2026-01-05"),
        ("replications = 0" + TEN_LINES, "replications: 0 is not within 1 to 100,000"),
        (TEN_LINES + "[behaviour]\nmoving_m_s = { foot = 3 }\n", "moving_m_s: has no speed for bicycle, car"),
        (TEN_LINES + "[behaviour]\nmoving_m_s = { boat = 3 }\n", "behaviour.moving_m_s: 'boat' is no mode"),
        (TEN_LINES + "[policies]\n'$a$' = 'shipped'\n", "policies.$a$: a policy's name has 1 to 40 letters"),
        (TEN_LINES + "[policies]\n_a = 'shipped'\n", "policies._a: a policy's name has"),
        (TEN_LINES + "[policies]\n'' = 'shipped'\n", "policies.: a policy's name has"),
        (TEN_LINES + "[policies]\n", "policies: none to compare"),
        (TEN_LINES + "[policies]\nmine = 'mine.toml'\n", "policies.mine: there is no file"),
        (
            "[region]\nbbox = [10.0, 10.0, 10.1, 10.1]\n" + MEDICS + "[incidents]\ncollisions = 'ireland'\n",
            "incidents.collisions: none lies in the region",
        ),
    ],
)
def test_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ScenarioError) as error:
        read(written(tmp_path, text))
    assert told in str(error.value)
    assert str(error.value).startswith(str(tmp_path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("wanted = 18", "18 medics are wanted, and there are 17"),
        ("wanted = 15\nalerts_max = 14", "15 medics are wanted, and 14 are asked at most"),
        ("skills_any = ['doctor']", "no medic has a skill of doctor (medics.skills)"),
        (
            "ladder = [{ channel = 'sms', after_s = 0 }]",
            "the simulated medics are reached over websocket",
        ),
    ],
)
def test_a_policy_that_can_never_be_satisfied_is_refused(tmp_path: Path, policy: str, told: str) -> None:
    text = AREA + "[medics]\ncount = 17\n" + RATE + "[policies]\nmine = 'mine.toml'\n"
    path = written(tmp_path, text, mine_toml=f"[cardiac_arrest]\n{policy}\n")
    with pytest.raises(ScenarioError) as error:
        read(path)
    assert f"policies.mine: cardiac_arrest: can never be satisfied: {told}" in str(error.value)


def test_a_policy_of_another_kind_may_want_whatever_it_likes(tmp_path: Path) -> None:
    text = TEN_LINES + "[policies]\nmine = 'mine.toml'\n"
    held = read(written(tmp_path, text, mine_toml="[trauma]\nskills_any = ['doctor']\n"))
    assert list(held.policies) == ["mine"]


def test_a_policy_file_with_a_fault_is_named_with_its_own_key(tmp_path: Path) -> None:
    text = TEN_LINES + "[policies]\nmine = 'mine.toml'\n"
    with pytest.raises(
        ScenarioError, match=r"mine\.toml: cardiac_arrest\.wantd: unknown key; did you mean 'wanted'"
    ):
        read(written(tmp_path, text, mine_toml="[cardiac_arrest]\nwantd = 2\n"))


def test_a_file_that_is_not_there_tells_of_the_shipped_ones() -> None:
    with pytest.raises(
        ScenarioError, match=r"examples/nowhere\.toml: there is no such file; shipped are .*dublin"
    ):
        read("examples/nowhere.toml")
