"""Liveness: the faults are over, and what they left has had its time. Everything has come to its end."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dispatch.core.incident import Incident
from dispatch.ids import alert_id, notification_id, parse_alert_id
from tests.simulator.apps import COMING, OPEN, App

if TYPE_CHECKING:
    from tests.simulator.world import World

RECEIPT_S_MAX = 10.0
SHOWN_WITHIN_S = 3.0


def check_the_end(world: "World") -> None:
    _check_reports(world)
    _check_alerts(world)
    _check_feeds(world)
    _check_phones(world)
    _check_receipts(world)


def _check_reports(world: "World") -> None:
    """1: whatever was reported is in the database, once, and over; nobody waits for an answer any more."""
    checkers = world.checkers
    for room in world.rooms:
        for report in room.reports:
            if len(report.ids) != 1:
                checkers.wrong(f"1: {report.reference} was answered with {len(report.ids)} incidents")
            elif not report.ended:
                checkers.wrong(f"1: {report.reference} waits for an answer", report.id)
        told = [i for i, one in checkers.incidents.items() if one.room_id == room.id]
        if len(told) != len(room.reports):
            checkers.wrong(f"1: {room.id} reported {len(room.reports)} incidents and has {len(told)}")


def _check_alerts(world: "World") -> None:
    """5: every alert ends, every notification has an outcome, and nothing is owed any more."""
    for incident_id, told in world.checkers.incidents.items():
        assert told.state is not None
        row = world.database.tables.incident[incident_id]
        if told.state.live:
            world.checkers.wrong("5: an incident is not over", incident_id)
        for alert in told.state.alerts:
            if alert.open or alert.engaged:
                world.checkers.wrong(f"5: alert {alert.n} does not end", incident_id)
            pending = [note.k for note in alert.notes if note.pending]
            if pending:
                world.checkers.wrong(f"5: notification {alert.n}-{pending[0]} has no outcome", incident_id)
        if row.due_at is not None and row.due_at < world.now_ms() - 5000:
            world.checkers.wrong(f"a tick is {world.now_ms() - row.due_at} ms late", incident_id)


def _check_feeds(world: "World") -> None:
    """6: each control room was shown what was committed, every event once, in order."""
    for room in world.rooms:
        shown = [(one.feed_pos, one.incident_id, one.seq) for one in room.feed]
        log = [one for one in world.database.log if one.control_room_id == room.id]
        written = [
            (one.feed_pos - one.count + 1 + i, one.incident_id, one.seq + i)
            for one in log
            for i in range(one.count)
        ]
        if shown != written:
            at = next((i for i, (a, b) in enumerate(zip(shown, written, strict=False)) if a != b), len(shown))
            world.checkers.wrong(
                f"6: {room.id} was shown {len(shown)} events of {len(written)}; wrong from {at} on"
            )


def _check_phones(world: "World") -> None:
    """4: what a connected app shows is what is so: nobody goes where nobody is wanted."""
    for app in _connected_apps(world):
        for alert, shown in app.shows.items():
            incident_id, n = _split(alert)
            state = _state(world, incident_id)
            if state is None:
                world.checkers.wrong(f"1: {app.name} shows an alert that is not in the database", incident_id)
            elif shown in (OPEN, COMING) and state.alert(n).state == "stood_down":
                world.checkers.wrong(f"4: {app.name} was not told to stop, alert {n}", incident_id)


def check_what_is_shown(world: "World") -> None:
    """5: the faults are over, and every connected app shows what its medic is asked and has accepted."""
    since_s = world.loop.time() - SHOWN_WITHIN_S
    for app in _connected_apps(world):
        if app.read_at_s is None or app.read_at_s > since_s:
            continue
        for incident_id, n in world.checkers.claims_of(app.medic.id):
            state = _state(world, incident_id)
            assert state is not None
            alert = state.alert(n)
            if any(note.purpose == "stand_down" for note in alert.notes):
                continue  # she came all the same, and her app was told to stop before
            since = max(alert.requested_at, alert.answered_at or 0)
            late = since < world.now_ms() - 1000 * SHOWN_WITHIN_S
            if late and app.shows.get(alert_id(incident_id, n)) not in (OPEN, COMING):
                world.checkers.wrong(f"5: {app.name} does not show alert {n}", incident_id)


def _connected_apps(world: "World") -> Iterator[App]:
    """Those that have been for long enough to have been told."""
    since_s = world.loop.time() - SHOWN_WITHIN_S
    for phone in world.phones.values():
        for app in phone.apps:
            if not phone.deleted and app.socket is not None and app.socket.since_s <= since_s:
                yield app


def _check_receipts(world: "World") -> None:
    """What a phone acknowledged after the faults is delivered, as the control room sees it."""
    for phone in world.phones.values():
        if phone.deleted:
            continue
        for alert, (at_s, channel) in phone.rang.items():
            incident_id, n = _split(alert)
            state = _state(world, incident_id)
            if state is None or channel != "websocket" or at_s < world.quiet_s:
                continue
            one = state.alert(n)
            acknowledged = any(
                notification_id(incident_id, n, note.k) in phone.acknowledged for note in one.notes
            )
            if acknowledged and one.delivered_at is None:
                world.checkers.wrong(f"the receipt of alert {n} was lost", incident_id)


def _state(world: "World", incident_id: str) -> Incident | None:
    told = world.checkers.incidents.get(incident_id)
    return told.state if told is not None else None


def _split(alert: str) -> tuple[str, int]:
    known = parse_alert_id(alert)
    assert known is not None
    return known.incident_id, known.n
