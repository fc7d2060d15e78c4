"""Rows, sockets, claims and fixes come from several nodes: what is said of an id not known yet."""


def test_a_socket_and_a_claim_before_the_row_count_once_she_is_there(roster, medic, fix, ids):
    roster.connected("anna", True)
    roster.hold_alert("anna", incident_id="other", n=1, priority=2, drill=False, engaged=False)
    roster.put(medic())
    roster.move(fix())
    assert ids(roster, channels=("websocket",), priority=1) == ["anna"]
    assert ids(roster, priority=2) == []
    roster.remove("anna")
    roster.connected("anna", False)
    roster.release_alert("anna", "other", 1)
    roster.put(medic())
    roster.move(fix())
    assert ids(roster, channels=("websocket",)) == []
    assert ids(roster, priority=2) == ["anna"]


def test_a_socket_alone_before_the_row_counts_too(roster, medic, fix, ids):
    roster.connected("anna", True)
    roster.put(medic())
    roster.move(fix())
    assert ids(roster, channels=("websocket",)) == ["anna"]


def test_a_claim_alone_before_the_row_counts_too(roster, medic, fix, ids):
    roster.hold_alert("anna", incident_id="other", n=1, priority=2, drill=False, engaged=False)
    roster.put(medic())
    roster.move(fix())
    assert ids(roster, priority=2) == []


def test_many_fixes_at_once_move_those_with_a_socket_too(roster, medic, fix, look, at):
    """Where only sockets count they are looked for apart."""
    roster.put_many([medic("anna"), medic("bert")])
    roster.connected("anna", True)
    roster.move_many([fix("anna", 100.0), fix("bert", 50.0)])
    by_socket = {"channels": ("websocket",)}
    assert [one.distance_m for one in look(roster, **by_socket)] == [100]
    roster.move_many([fix("anna", 300.0, at=at + 1), fix("bert", 10.0, at=at + 1)])
    assert [one.distance_m for one in look(roster, **by_socket)] == [300]


def test_a_changed_row_is_known_of_those_with_a_socket_too(roster, medic, fix, look):
    roster.put(medic())
    roster.move(fix(north_m=340.0))
    roster.connected("anna", True)
    by_socket = {"channels": ("websocket",)}
    assert [one.eta_s for one in look(roster, **by_socket)] == [200]
    roster.put(medic(mode="bicycle"))
    assert [one.eta_s for one in look(roster, **by_socket)] == [76]


def test_a_place_that_one_left_in_the_roster_is_the_next_ones_alone(roster, medic, fix, look):
    names = ["anna", "bert", "cees"]
    roster.put_many([medic(name) for name in names])
    roster.remove("anna")
    roster.put_many([medic("dirk"), medic("emma")])
    where = {"bert": 100.0, "cees": 200.0, "dirk": 300.0, "emma": 400.0}
    roster.move_many([fix(name, north_m) for name, north_m in where.items()])
    assert {one.medic_id: one.distance_m for one in look(roster)} == where


def test_a_changed_row_leaves_socket_claim_and_fix_as_they_were(roster, medic, fix, ids):
    roster.put(medic())
    roster.move(fix())
    roster.connected("anna", True)
    roster.hold_alert("anna", incident_id="other", n=1, priority=2, drill=False, engaged=False)
    roster.put(medic(skills=("nurse",)))
    assert ids(roster, channels=("websocket",), priority=1) == ["anna"]
    assert ids(roster, priority=2) == []


def test_of_an_unknown_medic_a_fix_is_not_kept(roster, medic, fix, ids, search, at):
    assert not roster.move(fix())
    roster.put(medic())
    assert roster.fix("anna") is None
    assert ids(roster) == []
    assert roster.eta("nobody", lat=0.0, lon=0.0, at=at, fix_stale_s=900) is None
    assert roster.standing("nobody", search(), lat=0.0, lon=0.0, at=at) is None
    assert roster.get("nobody") is None
    assert roster.held("nobody") == ()


def test_the_last_of_several_rows_in_one_call_counts(roster, medic):
    roster.put_many([medic(name="first"), medic(name="last")])
    assert len(roster) == 1
    assert roster.get("anna").name == "last"
