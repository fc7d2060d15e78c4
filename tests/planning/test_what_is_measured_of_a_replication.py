"""The measures of one replication: over all alarms, whoever never came comes after forever."""

import math

import numpy as np
import pytest

from simulations.planning import groups, measures, survival, tally
from tests.planning.made_up import calls, outcomes

NEVER = float("inf")


def test_seconds_gained_are_defined_for_every_alarm():
    values = measures.of(calls([600, 600, 600, 600]), outcomes([200, 600, 700, NEVER]), years=1)
    assert values["seconds_gained"] == 400 / 4
    assert values["medic_first"] == 1 / 4
    assert values["nobody_came"] == 1 / 4


def test_a_quantile_carries_the_mass_at_never():
    values = measures.of(calls([600] * 10), outcomes([100, 200, 300, 400, 500, *[NEVER] * 5]), years=1)
    assert values["first_medic_p50_s"] == 500
    assert values["first_medic_p90_s"] == NEVER


def test_reached_is_by_whoever_comes_first_and_within_its_last_second():
    values = measures.of(calls([240, 480, 481]), outcomes([NEVER, 360, 480.5]), years=1)
    shares = {name: values[name] * 3 for name in values if name.endswith("_min")}
    assert shares == pytest.approx(
        {
            "reached_4_min": 1,
            "reached_6_min": 2,
            "reached_8_min": 2,
            "medic_4_min": 0,
            "medic_6_min": 1,
            "medic_8_min": 1,
        }
    )


def test_burden_counts_all_alarms_and_survival_true_arrests_alone():
    some = calls(
        [600, 600, 600],
        true_arrest=[True, False, True],
        recognised=[True, True, False],
        bystander=[False] * 3,
    )
    what = outcomes([300, 300, NEVER], alerts=[10, 20, 0], accepts=[1, 3, 0], medic_alerts=[10, 20, 0, 0])
    values = measures.of(some, what, years=0.5)
    assert values["alerts"] == 15
    assert values["accepts"] == 2
    assert values["seconds_gained"] == 300
    assert values["alerts_per_medic_year"] == 30 / 4 / 0.5
    assert values["alerts_p99_medic_year"] == 20 / 0.5
    assert values["survival_waalewijn"] == pytest.approx(float(survival.waalewijn([6, 11], [11, 11]).mean()))


def test_alerts_are_first_ones_and_again_by_why():
    counts = {"alerts": [9], "medics": [4], "again_withdrawn": [2], "again_overdue": [3], "again_else": [0]}
    values = measures.of(calls([600]), outcomes([300], overdue_came=[1], arrivals=[2], **counts), years=1)
    again = sum(values[f"again_{why}"] for why in ("withdrawn", "overdue", "else"))
    assert values["alerts"] == values["medics_asked"] + again == 9
    assert values["overdue_came"] == 1


@pytest.mark.parametrize("recognised", [[], [False]], ids=["no calls", "no alarms"])
def test_what_there_is_nothing_to_measure_over_is_absent(recognised):
    none = tally.of(
        calls([600] * len(recognised), recognised=recognised), outcomes([NEVER] * len(recognised)), years=1
    )
    assert "seconds_gained" not in none.values
    assert "alerts_per_medic_year" not in none.values
    assert not any(math.isnan(value) for value in none.values.values())
    assert len(none.by_hour.keys) == len(none.by_kind.keys) == len(none.by_cell.keys) == 0
    assert tally.quantile_s(none.first_medic, 50) == NEVER


def test_every_measure_has_its_words_and_comes_in_their_order():
    values = measures.of(calls([600]), outcomes([100], medic_alerts=[1]), years=1)
    assert list(values) == [measure.name for measure in measures.MEASURES]


def test_alarms_are_counted_by_hour_of_the_day_kind_and_cell():
    some = calls(
        [600, 600, 600],
        kinds=("cardiac_arrest", "trauma"),
        kind=[1, 0, 1],
        hour=[3, 27, 167],
        cell=[7, 7, 5],
    )
    found = tally.of(some, outcomes([100, NEVER, 250.5], alerts=[1, 2, 3]), years=1)
    assert found.by_hour.keys.tolist() == [3, 23]
    assert found.by_hour.column("alerts").tolist() == [3, 3]
    assert found.by_kind.keys.tolist() == ["cardiac_arrest", "trauma"]
    assert found.by_kind.column("gained_ms").tolist() == [0, 849_500]
    assert found.by_kind.column("nobody_came").tolist() == [1, 0]
    assert found.by_cell.keys.tolist() == [5, 7]
    assert found.by_cell.column("medic_4_min").tolist() == [0, 1]


def test_groups_and_seconds_add_up_over_replications_with_different_cells():
    one = tally.of(calls([600, 300], cell=[5, 7]), outcomes([100, NEVER]), years=1)
    other = tally.of(calls([600], cell=[9]), outcomes([100.9]), years=1)
    both = tally.total([one, other])
    assert both.by_cell.keys.tolist() == [5, 7, 9]
    assert both.by_cell.column("alarms").tolist() == [1, 1, 1]
    assert both.by_hour.column("alarms").tolist() == [3]
    assert both.first_medic[100] == 2
    assert both.first_medic[-1] == 1
    assert both.gained[0] == 1


def test_seconds_tell_later_from_never():
    counted = tally.seconds(np.array([0.0, 0.99, 3599.5, 3600.0, 1e9, NEVER]))
    assert (counted[0], counted[3599], counted[3600], counted[3601]) == (2, 1, 2, 1)
    assert tally.quantile_s(counted, 50) == 3599
    assert tally.quantile_s(counted, 51) == tally.quantile_s(counted, 83) == 3600
    assert tally.quantile_s(counted, 84) == NEVER
    assert tally.quantile_s(counted, 1) == 0


def test_a_group_has_every_column():
    assert groups.columns_of(calls([600]), outcomes([1])).shape == (1, len(groups.COLUMNS))
