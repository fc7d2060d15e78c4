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
