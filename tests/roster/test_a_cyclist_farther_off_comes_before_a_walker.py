"""The best are those who are there first, by whatever they travel."""

from dispatch.records import Place


def test_a_cyclist_at_900_m_before_a_walker_at_400(roster, medic, fix, look):
    roster.put_many([medic("walker"), medic("cyclist", mode="bicycle"), medic("driver", mode="car")])
    roster.move_many([fix("walker", 400.0), fix("cyclist", 900.0), fix("driver", 2500.0)])
    found = look(roster)
    assert [(one.medic_id, one.distance_m, one.eta_s) for one in found] == [
        ("cyclist", 900, 200),
        ("walker", 400, 236),
        ("driver", 2500, 302),
    ]
    assert look(roster, count=2) == found[:2]
    assert look(roster, count=0) == ()


def test_another_mode_is_sought_as_long_as_it_may_beat_the_last_and_not_only_the_first(
    roster, medic, fix, ids
):
    roster.put_many(
        [medic("near"), medic("far"), medic("cyclist", mode="bicycle"), medic("slow", mode="car")]
    )
    roster.move_many([fix("near", 100.0), fix("far", 400.0), fix("cyclist", 900.0), fix("slow", 9000.0)])
    assert ids(roster, count=2) == ["near", "cyclist"]


def test_on_the_spot_all_modes_are_equally_early_and_come_by_id(roster, medic, fix, ids):
    roster.put_many([medic("c"), medic("b", mode="bicycle"), medic("a", mode="car"), medic("d")])
    roster.move_many([fix(name, 0.0) for name in "abc"])
    roster.move(fix("d", 1.0))
    assert ids(roster, count=1) == ["a"]
    assert ids(roster, reach_s=0) == ["a", "b", "c"]


def test_equally_late_ones_come_by_id_whoever_is_cut_off(roster, medic, ids):
    """A hundred at one address, put in an order of their own, and one who is nearer."""
    here = (Place("hospital", 52.091, 5.12),)
    names = [f"m{i * 37 % 100:02}" for i in range(100)]
    roster.put_many([medic(name, places=here) for name in names])
    roster.put(medic("zoe", places=(Place("home", 52.0901, 5.12),)))
    assert ids(roster, count=6) == ["zoe", "m00", "m01", "m02", "m03", "m04"]
    assert ids(roster, count=101, new_max=101) == ["zoe", *sorted(names)]
