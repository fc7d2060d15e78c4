"""Events, the incident and the phones put side by side, in milliseconds since the report."""

from typing import Any

import pytest

from simulations.calls import Call
from simulations.demo.incident_board import REMEMBERED, IncidentBoard
from simulations.demo.narration import narrate
from simulations.demo.timeline import Timeline
from simulations.demo.timeline_json import alert_json, timings_json
from simulations.demo.virtual_medic import Heard, place_of
from simulations.population import Resident

CALL = Call("c1", "traffic_accident", 53.3, -6.2, 0.0, "serious collision")
POSTED_MS = 1_700_000_000_000
RESIDENTS = {
    f"m{n}": Resident(f"Medic {n}", f"+{n}", "en", "nurse", "foot", 53.3, -6.2, True) for n in (1, 2)
}


def event(after_ms: int, kind: str, **data: Any) -> dict[str, Any]:
    at = f"2023-11-14T22:13:{20 + after_ms // 1000:02}.{after_ms % 1000:03}Z"
    return {
        "id": f"e{after_ms}{kind}",
        "incident_id": "i1",
        "type": kind,
        "at": at,
        "by": {"kind": "medic"},
        "data": data,
    }


EVENTS = [
    event(10, "IncidentOpened", reference="c1-x"),
    event(12, "WaveDecided", wave=1, considered=9, chosen=2),
    event(12, "AlertRequested", n=1, role="direct", wave=1, eta_s=90, expires_at="x"),
    event(12, "AlertRequested", n=2, role="direct", wave=1, eta_s=30, expires_at="x"),
    event(12, "NotificationRequested", n=1, k=1, channel="websocket", purpose="alert"),
    event(13, "NotificationFailed", n=2, k=1, channel="websocket", purpose="alert", reason="no_socket"),
    event(13, "NotificationRequested", n=2, k=2, channel="sms", purpose="alert"),
    event(20, "AlertDelivered", n=1, channel="websocket"),
    event(40, "NotificationSent", n=2, k=2, channel="sms", purpose="alert"),
    event(2_000, "AlertSeen", n=1, channel="websocket"),
    event(3_000, "AlertAnswered", n=1, answer="accept", channel="websocket", eta_s=90),
    event(3_000, "IncidentCovered", on_the_way=1),
    event(3_000, "AlertStoodDown", n=2, reason="covered"),
    event(3_001, "NotificationRequested", n=2, k=3, channel="sms", purpose="stand_down"),
    event(3_400, "NotificationDelivered", n=2, k=3, channel="sms", purpose="stand_down"),
    event(3_500, "SomethingNew", n=1),
    event(3_500, "SomethingElse"),
]
INCIDENT = {"alerts": [{"n": n, "medic_id": f"m{n}", "distance_m": 100 * n} for n in (1, 2)]}


@pytest.fixture
def timeline() -> Timeline:
    told = Timeline(CALL, POSTED_MS)
    for each in EVENTS:
        told.apply(each)
    told.hear(Heard("m1", told.place, "websocket", "alert", POSTED_MS + 19))
    told.identify(INCIDENT)
    told.hear(Heard("m2", told.place, "sms", "alert", POSTED_MS + 400))
    told.hear(Heard("m2", told.place, "sms", "stand_down", POSTED_MS + 3_390))
    return told


def test_alerts_come_by_eta_with_their_channel_answer_and_times(timeline):
    second, first = (alert_json(alert, RESIDENTS) for alert in timeline.by_eta())
    assert (first["medic"], first["channels"], first["distance_m"]) == ("Medic 1", ["websocket"], 100)
    assert (first["requested_ms"], first["received_ms"], first["delivered_ms"]) == (12, 19, 20)
    assert (first["seen_ms"], first["answer"], first["answered_ms"]) == (2_000, "accept", 3_000)
    assert (second["medic"], second["channels"], second["state"]) == ("Medic 2", ["sms"], "stood_down")
    assert second["stand_down"] == {"reason": "covered", "ms": 3_000, "received_ms": 3_390}
    assert second["answer"] is None


def test_milestones(timeline):
    assert timings_json(timeline) == {
        "acknowledged_ms": None,
        "first_alert_requested_ms": 12,
        "first_phone_ms": 19,
        "first_wave_on_phones_ms": 400,
        "first_delivered_ms": 20,
        "first_seen_ms": 2_000,
        "first_answer_ms": 3_000,
        "first_accept_ms": 3_000,
        "covered_ms": 3_000,
        "first_stand_down_ms": 3_000,
        "first_stand_down_on_phone_ms": 3_390,
    }


def test_what_a_phone_heard_before_a_second_alert_belongs_to_the_first(timeline):
    timeline.apply(event(9_000, "AlertRequested", n=3, role="direct", wave=2, eta_s=80, expires_at="x"))
    timeline.identify({"alerts": [*INCIDENT["alerts"], {"n": 3, "medic_id": "m1", "distance_m": 100}]})
    assert timeline.alerts[3].received_ms is None
    assert timeline.alerts[1].received_ms == 19


def test_a_stranger_reads_names_channels_and_reasons(timeline):
    lines = [narrate(each, timeline, RESIDENTS) for each in EVENTS]
    assert [line for line in lines if line] == [
        "incident: serious collision",
        "wave 1: 2 of 9 medics found are alerted",
        "Medic 1 is alerted, 90 s away",
        "Medic 2 is alerted, 30 s away",
        "Medic 1: the alert is on the phone by app",
        "Medic 1 has seen it",
        "Medic 1 is going (by app)",
        "covered: 1 are on their way",
        "Medic 2 is stood down: enough are coming",
    ]


def test_the_board_finds_an_incident_before_its_report_is_answered():
    board = IncidentBoard()
    mine = board.expect(CALL, "c1-x", POSTED_MS)
    assert (
        board.apply(event(1, "IncidentOpened", reference="somebody else's") | {"incident_id": "i9"}) is None
    )
    assert all(board.apply(each) is mine for each in EVENTS)
    assert board.apply(event(5, "NobodyFound", asked=0, on_the_way=0) | {"incident_id": "i9"}) is None
    board.hear(Heard("m1", place_of(53.3, -6.2), "websocket", "alert", POSTED_MS + 5))
    board.hear(Heard("m1", place_of(0, 0), "websocket", "alert", POSTED_MS + 5))
    assert mine.state == "open"


def test_the_board_forgets_the_oldest():
    board = IncidentBoard()
    for number in range(REMEMBERED + 1):
        board.expect(CALL, f"r{number}", POSTED_MS)
    assert len(board.timelines) == REMEMBERED
    opened = event(1, "IncidentOpened", reference="r0")
    assert board.apply(opened) is None
    assert board.apply(event(1, "IncidentOpened", reference="r1")) is board.timelines[0]
