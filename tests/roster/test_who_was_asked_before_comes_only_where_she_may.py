"""RULES, "Again": of those whom the incident has asked, a search finds those who may be asked again."""

import pytest


@pytest.fixture
def five(roster, medic, fix):
    names = ["a", "b", "c", "d", "e"]
    roster.put_many([medic(name) for name in names])
    roster.move_many([fix(name, 100.0 * (i + 1)) for i, name in enumerate(names)])
    return roster


def test_only_those_of_again_and_with_the_number_of_their_first_alert(five, look):
    found = look(five, firsts={"a": 1, "b": 2, "nobody": 3}, exclude=(1, 3), again=(2,))
    assert [(one.medic_id, one.first) for one in found] == [("b", 2), ("c", None), ("d", None), ("e", None)]


def test_the_best_of_both_kinds_together(five, ids):
    assert ids(five, count=2, firsts={"a": 1, "d": 4}, again=(1, 4)) == ["a", "b"]


def test_one_who_may_be_asked_again_must_be_available_and_within_reach_as_anybody(five, ids, medic):
    firsts = {"a": 1, "b": 2, "e": 5}
    five.put(medic("a", available=False))
    five.take(["b"])
    assert ids(five, firsts=firsts, again=(1, 2, 5), reach_s=240) == ["c", "d"]


def test_no_more_new_ones_than_there_is_room_for(five, ids):
    assert ids(five, count=4, new_max=1, firsts={"a": 1, "c": 2}, exclude=(1,), again=(2,)) == ["b", "c"]
    assert ids(five, count=4, new_max=0, firsts={"a": 1}, again=(1,)) == ["a"]


def test_all_who_may_be_asked_again_come_where_there_is_no_room_for_new_ones(five, ids):
    """Which of them need room, having been asked before a reopen, only the decision knows."""
    again = {name: n for n, name in enumerate("abcd", start=1)}
    assert ids(five, count=2, new_max=1, firsts=again, again=(1, 2, 3, 4)) == ["a", "b", "c", "d", "e"]
