"""RULES, "Free": what a medic holds, and which incidents may ask her all the same."""

import pytest


@pytest.fixture
def anna(roster, medic, fix):
    roster.put(medic())
    roster.move(fix())
    return roster


def holds(roster, priority, *, drill=False, engaged=False, incident_id="other", n=1):
    roster.hold_alert("anna", incident_id=incident_id, n=n, priority=priority, drill=drill, engaged=engaged)


@pytest.mark.parametrize(("own", "other", "free"), [(1, 2, True), (2, 2, False), (2, 1, False), (1, 9, True)])
def test_an_open_alert_holds_her_back_unless_it_is_less_urgent(anna, ids, own, other, free):
    holds(anna, other)
    assert ids(anna, priority=own) == (["anna"] if free else [])


def test_a_drills_alert_never_holds_her_back_from_a_real_incident(anna, ids):
    holds(anna, 1, drill=True)
    assert ids(anna, priority=9) == ["anna"]


def test_any_real_alert_holds_her_back_from_a_drill(anna, ids):
    holds(anna, 9)
    assert ids(anna, priority=1, drill=True) == []


@pytest.mark.parametrize(("own", "other", "free"), [(1, 2, True), (2, 2, False), (2, 1, False)])
def test_among_drills_the_more_urgent_may_take_her(anna, ids, own, other, free):
    holds(anna, other, drill=True)
    assert ids(anna, priority=own, drill=True) == (["anna"] if free else [])


@pytest.mark.parametrize("drill", [False, True])
def test_engaged_on_a_real_incident_she_is_asked_by_none(anna, ids, drill):
    holds(anna, 9, engaged=True)
    assert ids(anna, priority=1, drill=drill) == []


@pytest.mark.parametrize("drill", [False, True])
def test_engaged_on_a_drill_she_is_asked(anna, ids, drill):
    holds(anna, 1, drill=True, engaged=True)
    assert ids(anna, priority=9, drill=drill) == ["anna"]


def test_her_most_urgent_alert_decides(anna, ids):
    holds(anna, 1, drill=True, incident_id="drill")
    holds(anna, 2, incident_id="real")
    assert ids(anna, priority=2) == []
    assert ids(anna, priority=1) == ["anna"]
    anna.release_alert("anna", "real", 1)
    assert ids(anna, priority=2) == ["anna"]
    assert [held.incident_id for held in anna.held("anna")] == ["drill"]


def test_an_accept_said_anew_replaces_the_open_alert(anna, ids):
    holds(anna, 5)
    assert ids(anna, priority=1) == ["anna"]
    holds(anna, 5, engaged=True)
    assert ids(anna, priority=1) == []
    anna.release_alert("anna", "other", 1)
    assert ids(anna, priority=9) == ["anna"]
    assert anna.held("anna") == ()


def test_who_holds_an_alert_of_the_incident_is_not_found_for_it_however_urgent_it_became(anna, ids):
    holds(anna, 5, incident_id="i1", n=1)
    assert ids(anna, priority=1, incident_id="i1") == []
    assert ids(anna, priority=1, incident_id="i2") == ["anna"]
    assert ids(anna, priority=1, incident_id="i1", firsts={"anna": 1}, again=(1,)) == []
    holds(anna, 5, incident_id="i1", n=2)
    anna.release_alert("anna", "i1", 1)
    assert ids(anna, priority=1, incident_id="i1") == []
    anna.release_alert("anna", "i1", 2)
    assert ids(anna, priority=1, incident_id="i1") == ["anna"]


def test_releasing_what_is_not_held_is_nothing(anna, ids):
    anna.release_alert("anna", "other", 1)
    anna.release_alert("nobody", "other", 1)
    assert ids(anna) == ["anna"]


def test_while_a_decision_about_her_is_under_way_no_search_finds_her(anna, medic, ids):
    anna.take(["anna", "nobody"])
    assert ids(anna) == []
    anna.put(medic(name="changed meanwhile"))
    assert ids(anna) == []
    anna.give_back(["anna", "nobody"])
    assert ids(anna) == ["anna"]


def test_who_holds_an_alert_of_it_is_not_found_for_it_again(roster, medic, fix, ids):
    """Whatever of hers, or of another's, has ended."""
    roster.put_many([medic("anna"), medic("bert")])
    roster.move_many([fix("anna"), fix("bert", 200.0)])
    for medic_id, incident_id, n in (
        ("anna", "i1", 1),
        ("bert", "i1", 2),
        ("anna", "i1", 3),
        ("anna", "i2", 1),
    ):
        roster.hold_alert(medic_id, incident_id=incident_id, n=n, priority=9, drill=False, engaged=False)
    assert ids(roster) == []
    roster.release_alert("anna", "i1", 1)
    assert ids(roster) == []
    roster.release_alert("bert", "i1", 2)
    assert ids(roster) == ["bert"]
    roster.release_alert("anna", "i1", 3)
    assert ids(roster) == ["anna", "bert"]
