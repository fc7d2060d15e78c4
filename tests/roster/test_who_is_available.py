"""RULES, "Available": each condition alone keeps a medic from being asked."""

import pytest

from dispatch.grace import Grace
from dispatch.records import Hours
from dispatch.roster.roster import Roster


@pytest.fixture
def here(roster, medic, fix):
    """Puts one medic, changed as told, 100 m off with a socket."""

    def put(**changes):
        roster.put(medic(**changes))
        roster.move(fix())
        roster.connected("anna", True)
        return roster

    return put


def test_a_medic_for_whom_all_holds_is_found(here, look):
    (found,) = look(here())
    assert (found.medic_id, found.distance_m, found.eta_s) == ("anna", 100, 59)  # 100 m at 1.7 m/s
    assert found.channels == ("websocket", "sms")
    assert found.first is None


@pytest.mark.parametrize(
    "changes",
    [
        {"available": False},
        {"verified": False},
        {"suspended": True},
        {"quiet_hours": (Hours((2,), "12:00", "14:00"),)},
    ],
)
def test_opted_in_verified_not_suspended_not_in_quiet_hours(here, ids, changes):
    assert ids(here(**changes)) == []


def test_a_certificate_is_valid_until_its_moment(here, ids, at):
    assert ids(here(certificate_until=at + 1)) == ["anna"]
    assert ids(here(certificate_until=at)) == []


def test_quiet_hours_are_by_her_own_time_zone(here, ids):
    one_o_clock = (Hours((2,), "13:00", "13:30"),)
    assert ids(here(quiet_hours=one_o_clock)) == []
    assert ids(here(quiet_hours=one_o_clock, time_zone="Europe/London")) == ["anna"]


def test_homes_want_clearance(here, ids):
    here(cleared_for_homes=False)
    assert ids(here(cleared_for_homes=False)) == ["anna"]
    assert ids(here(cleared_for_homes=False), cleared_only=True) == []
    assert ids(here(), cleared_only=True) == ["anna"]


def test_one_of_the_skills_is_enough_and_no_skills_asked_is_all(here, ids):
    roster = here(skills=("nurse", "first_aid"))
    assert ids(roster, skills_any=("doctor", "nurse")) == ["anna"]
    assert ids(roster, skills_any=("doctor",)) == []
    assert ids(here(skills=())) == ["anna"]
    assert ids(here(skills=()), skills_any=("doctor",)) == []


def test_skills_first_seen_after_a_search_are_found_by_the_next(here, ids, roster, medic, fix):
    assert ids(here(skills=()), skills_any=("doctor",)) == []
    roster.put(medic("bert", skills=("doctor",)))
    roster.move(fix("bert"))
    assert ids(roster, skills_any=("doctor",)) == ["bert"]


def test_drills_only_for_those_who_chose_drills(here, ids):
    assert ids(here(drills=False)) == ["anna"]
    assert ids(here(drills=False), drill=True) == []
    assert ids(here(), drill=True) == ["anna"]


def test_reach_is_inclusive(here, ids):
    assert ids(here(), reach_s=59) == ["anna"]
    assert ids(here(), reach_s=58) == []


def test_without_a_socket_only_sms_reaches_her(roster, medic, fix, look, ids):
    roster.put(medic())
    roster.move(fix())
    assert look(roster)[0].channels == ("sms",)
    assert ids(roster, channels=("websocket",)) == []
    roster.connected("anna", True)
    assert ids(roster, channels=("websocket",)) == ["anna"]
    roster.connected("anna", False)
    assert ids(roster, channels=("websocket",)) == []


def test_once_her_socket_is_gone_who_allows_nothing_else_is_found_for_nothing(roster, medic, fix, ids, at):
    roster.put(medic(channels=("websocket",)))
    roster.move(fix())
    roster.connected("anna", True)
    assert ids(roster) == ["anna"]
    roster.connected("anna", False)
    assert ids(roster) == []
    assert roster.channels_to("anna", ("websocket", "sms"), at) == ()


def test_a_test_device_is_found_by_its_own_name_alone(roster, medic, fix, ids):
    """No real incident counts on a device that only acknowledges, and no drill of the watchdog on a medic."""
    roster.put_many([medic("bert"), medic("device", skills=("first_aid", "watchdog"))])
    roster.move_many([fix("bert"), fix("device")])
    for skills in ((), ("first_aid",)):
        assert ids(roster, skills_any=skills) == ["bert"]
    assert ids(roster, skills_any=("watchdog:device",)) == ["device"]
    assert ids(roster, skills_any=("watchdog:bert",)) == []


@pytest.mark.parametrize(
    "changes", [{"phone": ""}, {"channels": ("websocket",)}, {"blocked": ("sms",)}, {"channels": ()}]
)
def test_sms_wants_a_phone_her_leave_and_no_block(roster, medic, fix, ids, changes):
    roster.put(medic(**changes))
    roster.move(fix())
    assert ids(roster) == []


def test_sms_off_leaves_those_whom_only_sms_could_reach(medic, fix, look):
    roster = Roster(default_time_zone="Europe/Amsterdam", sms_on=False)
    roster.put_many([medic("anna"), medic("bert")])
    roster.move_many([fix("anna"), fix("bert")])
    roster.connected("bert", True)
    assert [(found.medic_id, found.channels) for found in look(roster)] == [("bert", ("websocket",))]


def test_a_socket_is_no_way_to_her_who_does_not_allow_it(here, look):
    assert look(here(channels=("sms",)))[0].channels == ("sms",)


def test_sockets_are_awaited_while_the_node_has_just_started(medic, fix, look, ids, at):
    roster = Roster(default_time_zone="Europe/Amsterdam", sms_on=False, grace=Grace(at + 1))
    roster.put_many([medic("anna"), medic("bert", channels=("sms",))])
    roster.move_many([fix("anna"), fix("bert")])
    assert [(found.medic_id, found.channels) for found in look(roster)] == [("anna", ("websocket",))]
    assert ids(roster, at=at + 1) == []


def test_channels_come_in_the_order_of_the_ladder_and_unknown_ones_reach_nobody(here, look):
    assert look(here(), channels=("sms", "voice", "websocket"))[0].channels == ("sms", "websocket")
    assert look(here(), channels=("voice",)) == ()


def test_counts_for_metrics(here, roster, medic):
    here()
    roster.put(medic("bert", available=False))
    assert roster.counts() == (2, 1, 1)
    roster.remove("anna")
    assert roster.counts() == (1, 0, 0)
