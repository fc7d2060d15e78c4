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


def test_equally_late_ones_come_by_id_whoever_is_cut_off(roster, medic, ids):
    """A hundred at one address, put in an order of their own, and one who is nearer."""
    here = (Place("hospital", 52.091, 5.12),)
    names = [f"m{i * 37 % 100:02}" for i in range(100)]
    roster.put_many([medic(name, places=here) for name in names])
    roster.put(medic("zoe", places=(Place("home", 52.0901, 5.12),)))
    assert ids(roster, count=6) == ["zoe", "m00", "m01", "m02", "m03", "m04"]
    assert ids(roster, count=101, new_max=101) == ["zoe", *sorted(names)]
