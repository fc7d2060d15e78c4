"""Some replications are made again with the effect that one incident has on all whom it asks switched."""

import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from simulations.planning import report, runs
from simulations.planning.behaviour import Behaviour
from simulations.planning.draws import Draws
from simulations.planning.incident_effect import has_effect, on_and_off, switched
from simulations.planning.results import document
from simulations.planning.scenario import Scenario
from simulations.planning.sections import BehaviourKeys
from simulations.planning.world import World
from tests.planning import handmade
from tests.planning.scenarios import AREA, scenario

SMALL = f"weeks = 1\nreplications = 3\n{AREA}[medics]\ncount = 80\n[incidents]\nper_year = 800\n"
LOGIT = BehaviourKeys(acceptance="logit", incident_effect_sd=0.7)


def accepting(keys: BehaviourKeys, distance_m: float) -> float:
    """A medic's share of the alerts of many incidents."""
    calls = handmade.calls([handmade.MONDAY + n for n in range(2000)])
    acts = Behaviour(keys, Draws(1, 0), handmade.medics([100]), calls)
    return float(np.mean([acts.accepts_if_seen(n, 0, distance_m) for n in range(len(calls))]))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("acceptance", ["funnel", "logit"])
@pytest.mark.parametrize("is_on", [False, True])
def test_each_accepts_as_often_on_both_sides(share: float, acceptance: str, is_on: bool) -> None:
    keys = BehaviourKeys(
        acceptance=acceptance, accepts_if_seen=share, incident_effect_sd=0.7 * is_on, medic_effect_sd=0.0
    )
    for distance_m in (0.0, 1000.0):
        assert accepting(switched(keys), distance_m) == pytest.approx(accepting(keys, distance_m), rel=0.03)


def test_it_is_put_out_and_nothing_else() -> None:
    off = msgspec.structs.asdict(switched(LOGIT))
    changed = {name for name, value in msgspec.structs.asdict(LOGIT).items() if value != off[name]}
    assert off["incident_effect_sd"] == 0.0
    assert changed == {"incident_effect_sd", "logit_per_km", "logit_night", "medic_effect_sd"}


def test_it_is_put_in_and_nothing_else() -> None:
    """The funnel knows no distance, no night and no medic of her own: with the effect it does not either."""
    on = switched(BehaviourKeys())
    assert has_effect(on)
    assert (on.logit_per_km, on.logit_night, on.medic_effect_sd, on.incident_effect_sd) == (0, 0, 0, 0.5)
    assert on.accepts_if_seen == BehaviourKeys().accepts_if_seen
    assert switched(BehaviourKeys(acceptance="logit", incident_effect_sd=0.0)).incident_effect_sd == 0.5


def test_with_it_nobody_comes_more_often_at_the_same_mean() -> None:
    """Five are asked, once each: all five stay at home together far more often, where they are alike."""
    calls = handmade.calls([handmade.MONDAY + 4 * handmade.H * n for n in range(600)])
    policies = handmade.policies(waves=((0, 5),), alerts_max=5, replace=False, wanted=5, asks_max=1)
    keys = BehaviourKeys(seen=1.0, arrives_if_accepted=1.0, withdraws_if_accepted=0.0, incident_effect_sd=2.0)
    off = World(handmade.medics(range(100, 600, 100)), keys, seed=1)
    accepts = [world.run(calls, policies, 0).accepts for world in (off, off.acting(switched(keys)))]
    assert np.mean(accepts[1]) == pytest.approx(np.mean(accepts[0]), rel=0.1)
    assert np.mean(accepts[1] == 0) > 3 * np.mean(accepts[0] == 0)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return scenario(tmp_path_factory.mktemp("small"), SMALL)


@pytest.fixture(scope="module")
def both(small: Scenario) -> runs.Results:
    return runs.run(small, again=switched(small.behaviour))


def test_the_run_itself_stays_as_it_was(small: Scenario, both: runs.Results) -> None:
    alone = runs.run(small)
    assert [row[0].values for row in both.rows] == [row[0].values for row in alone.rows]
    assert on_and_off(small, alone) is None
    assert "incident_effect" not in json.loads(document(small, alone))


def test_the_document_has_both_sides(small: Scenario, both: runs.Results) -> None:
    told = json.loads(document(small, both), parse_constant=pytest.fail)
    effect, measures = told["incident_effect"], told["measures"]
    assert (effect["in_this_run"], effect["sd"], effect["replications"]) == (False, 0.5, 3)
    mean = {one["measure"]: one["mean"] for one in measures}
    for one in effect["measures"]:
        assert one["off"] == mean[one["measure"]]
        assert one["difference"] == pytest.approx(one["on"] - one["off"])
    assert any(one["difference"] for one in effect["measures"])


def test_the_report_says_which_side_it_is_on_and_of_how_many(small: Scenario, both: runs.Results) -> None:
    html = report.html(small, both)
    assert "has the effect off; the first 3 replications were made again with the effect on (sd 0.5" in html
    assert "shipped: no medic came in" in html
    logit = replace(small, keys=msgspec.structs.replace(small.keys, behaviour=LOGIT))
    assert "has the effect on (sd 0.7" in report.html(logit, both)
