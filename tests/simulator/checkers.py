"""What must stay true, watched from outside: by the tables of the database's model and the logs of people.

Nothing here asks a node for anything. Events are replayed as they are committed; the numbers are those of
"What must stay true" in the project's design. Each violation is told once, with the incident's last events.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from dispatch.core import events as e
from dispatch.core.evolve import evolve
from dispatch.core.incident import Alert, Incident
from dispatch.core.policy import Policy
from dispatch.core.timers import lapse_at
from dispatch.ids import parse_alert_id, parse_notification_id
from dispatch.store.feed import decode_events
from tests.core.invariants import Books, lost
from tests.simulator.database import Committed, ModelDatabase
from tests.simulator.database_tables import Decision

EVENTS_SHOWN = 14
AHEAD_MS_MAX, BEHIND_MS_MAX = 5_000, 300_000
"""How far an event's time may be from the database's at its commit. What is decided waits for its commit, and
a machine that was suspended is behind until it has asked again."""
CHANGES_HER_ANSWER = (e.AlertAnswered, e.AlertStoodDown, e.AlertExpired, e.AlertFailed)
_decode_policy = msgspec.json.Decoder(Policy).decode


class Violation(Exception):
    """``invariant`` in a few words; ``events``: the last ones of the incident concerned."""

    def __init__(self, invariant: str, incident_id: str | None, events: Iterable[str]) -> None:
        super().__init__(invariant)
        self.invariant, self.incident_id, self.events = invariant, incident_id, tuple(events)

    def __str__(self) -> str:
        return "\n    ".join((f"{self.invariant} ({self.incident_id})", *self.events))


class Told:
    """An incident as its events tell it, with the core's test books beside the state."""

    def __init__(self, room_id: str) -> None:
        self.room_id = room_id
        self.state: Incident | None = None
        self.books = Books()
        self.events: list[e.AnyEvent] = []
        self.requested: dict[tuple[int, int], str] = {}


class Checkers:
    """``check_commit`` is called after every commit, ``sent`` and ``called`` before a message has arrived."""

    def __init__(self, database: ModelDatabase, now_ms: Callable[[], int]) -> None:
        self._database, self._now_ms = database, now_ms
        self.incidents: dict[str, Told] = {}
        self.violations: list[Violation] = []
        self.commits = 0
        self._feed: dict[str, int] = {}
        self._claims: dict[str, dict[tuple[str, int], None]] = {}
        self._claim_of: dict[tuple[str, int], str] = {}
        self._policies = Policies(database)

    # --- after each commit

    def check_commit(self, committed: Committed) -> None:
        self.commits += 1
        for decision in committed.decisions:
            self._decided(decision)
        for decision in committed.decisions:
            self._note_claims(decision.incident_id)
        for decision in committed.decisions:
            self._check_claims(decision.incident_id)
            self._check_columns(decision)

    def _decided(self, decision: Decision) -> None:
        incident_id, room_id = decision.incident_id, decision.control_room_id
        told = self.incidents.get(incident_id)
        if told is None:
            told = self.incidents[incident_id] = Told(room_id)
        events = decode_events(decision.events)
        self._check_feed(decision, told, len(events))
        inputs = self._inputs(decision)
        for i, event in enumerate(events):
            if isinstance(event, e.WaveDecided):
                asked = [
                    one for one in events[i:] if isinstance(one, e.AlertRequested) and one.wave == event.wave
                ]
                self._check_wave(decision, told, event, asked, inputs)
            if told.state is not None:
                self._check_event(incident_id, told, told.state, event)
            elif not isinstance(event, e.IncidentOpened):
                self._wrong("7: an incident begins with its opening", incident_id)
                return
            told.state = evolve(told.state, event)
            told.books.note(event)
            told.events.append(event)
            if isinstance(event, e.NotificationRequested):
                told.requested[event.n, event.k] = event.channel
        self._check_told(incident_id, told)

    def _check_feed(self, decision: Decision, told: Told, count: int) -> None:
        before = self._feed.get(decision.control_room_id, 0)
        seq = told.state.seq if told.state is not None else 0
        if decision.feed_pos != before + count:
            self._wrong("6: the feed has a gap or a doublet", decision.incident_id)
        if decision.seq != seq + 1 or told.room_id != decision.control_room_id:
            self._wrong("6: an incident's events have a gap or a doublet", decision.incident_id)
        self._feed[decision.control_room_id] = decision.feed_pos

    def _check_event(self, incident_id: str, told: Told, state: Incident, event: e.AnyEvent) -> None:
        if event.at < state.at:
            self._wrong("time runs back within an incident", incident_id)
        if not -BEHIND_MS_MAX <= event.at - self._now_ms() <= AHEAD_MS_MAX:
            self._wrong("an event's time is not the database's", incident_id)
        if isinstance(event, e.AlertRequested):
            asking = state.state == "open" and not state.covered and not state.enough_said
            if not asking:
                self._wrong("4: an alert is requested while none may be", incident_id)
            hers = told.books.by_first.get(event.first, [])
            if hers and not told.books.may_ask_again(event.first, self._policy(incident_id).asks_max):
                self._wrong("2: she is asked again against the rules", incident_id)
        elif isinstance(event, e.NotificationRequested):
            self._check_notification(incident_id, state, event)
        elif isinstance(event, e.NobodyFound) and state.exhausted:
            self._wrong("8: told twice that nobody was found", incident_id)

    def _check_notification(self, incident_id: str, state: Incident, event: e.NotificationRequested) -> None:
        alert = state.alert(event.n)
        if event.purpose == "alert" and not (state.state == "open" and alert.open):
            self._wrong("4: an alert is sent to one who is not to come", incident_id)
        if event.purpose == "stand_down" and alert.state != "stood_down":
            self._wrong("4: one is stood down who is to come", incident_id)

    def _check_told(self, incident_id: str, told: Told) -> None:
        state = told.state
        assert state is not None
        open_alerts = [alert for alert in state.alerts if alert.open]
        if state.state != "open" and open_alerts:
            self._wrong("4: an alert stays open while held or ended", incident_id)
        if not state.live and any(alert.engaged for alert in state.alerts):
            self._wrong("5: an incident ends and an alert does not", incident_id)
        if state.asking and not state.exhausted:
            policy = self._policy(incident_id)
            if not any(not lost(alert, policy) for alert in open_alerts):
                self._wrong("8: nobody is left to ask, and nobody is told", incident_id)

    def _note_claims(self, incident_id: str) -> None:
        """Of real incidents: by the alerts' states as replayed, and by whom the rows say they went to."""
        state = self.incidents[incident_id].state
        assert state is not None
        for alert in state.alerts:
            key = (incident_id, alert.n)
            row = self._database.tables.alert.get(key)
            medic_id = row.medic_id if row is not None else None
            before = self._claim_of.pop(key, None)
            if before is not None:
                self._claims[before].pop(key, None)
            if medic_id is not None and not state.drill and (alert.open or alert.engaged):
                self._claim_of[key] = medic_id
                self._claims.setdefault(medic_id, {})[key] = None

    def _check_claims(self, incident_id: str) -> None:
        """One alert a medic over all real incidents. An append changes several of them at once.

        One who was deleted holds none: whose alert it was is not known any more, and a node that has not
        heard of it may ask her once again.
        """
        state = self.incidents[incident_id].state
        assert state is not None
        rows = self._database.tables.alert
        for alert in state.alerts:
            medic_id = self._claim_of.get((incident_id, alert.n))
            if medic_id is None:
                continue
            held = sum(rows[key].medic_id == medic_id for key in self._claims[medic_id])
            if held > 1:
                self._wrong(f"2: {medic_id} holds {held} alerts", incident_id)

    def _check_columns(self, decision: Decision) -> None:
        state = self.incidents[decision.incident_id].state
        row = self._database.tables.incident.get(decision.incident_id)
        assert state is not None
        if row is None:
            self._wrong("7: an incident has events and no row", decision.incident_id)
            return
        told = (state.state, state.kind, state.priority, state.drill, state.policy, state.seq, state.ended_at)
        if told != (row.state, row.kind, row.priority, row.drill, row.policy, row.seq, row.ended_at):
            self._wrong("7: the row is not what the events tell", decision.incident_id)
        for alert in state.alerts:
            kept = self._database.tables.alert.get((decision.incident_id, alert.n))
            if kept is None or (kept.medic_id is not None and kept.holds != _holds(alert)):
                self._wrong(
                    f"7: the row of alert {alert.n} is not what the events tell", decision.incident_id
                )

    def _check_wave(
        self,
        decision: Decision,
        told: Told,
        wave: e.WaveDecided,
        requested: list[e.AlertRequested],
        inputs: Iterator[dict[str, Any]],
    ) -> None:
        """By the input kept with the decision: nobody better and eligible was passed over."""
        incident_id, chosen = decision.incident_id, {}
        for event in requested:
            alert = self._database.tables.alert.get((incident_id, event.n))
            chosen[alert.medic_id if alert is not None else None] = event.eta_s
        for given in inputs:
            found = {one["medic_id"]: one for one in given["candidates"]}
            if len(found) == wave.considered and all(
                medic_id in found and found[medic_id]["eta_s"] == eta_s for medic_id, eta_s in chosen.items()
            ):
                break
        else:
            self._wrong("3: a wave went to others than were found", incident_id)
            return
        worst, books, policy = max(chosen.values()), told.books, self._policy(incident_id)
        asked = books.asked_this_era()
        fresh = sum(found[medic_id].get("first") not in asked for medic_id in chosen)
        room = len(asked) + fresh < policy.alerts_max + books.more
        for medic_id, one in found.items():
            first = one.get("first")
            may = first is None or books.may_ask_again(first, policy.asks_max)
            may = may and (first in asked or room)
            if medic_id not in chosen and one["eta_s"] < worst and may:
                self._wrong(f"3: {medic_id} was nearer and passed over", incident_id)

    def _inputs(self, decision: Decision) -> Iterator[dict[str, Any]]:
        row = self._database.tables.decision_input.get((decision.incident_id, decision.seq))
        return iter(msgspec.json.decode(row.body) if row is not None else ())

    # --- what leaves a node

    def sent(self, medic_id: str, notification: str) -> None:
        """Put on a socket: what it brings is committed, and hers."""
        known = parse_notification_id(notification)
        told = self.incidents.get(known.incident_id) if known is not None else None
        if known is None or told is None or (known.n, known.k) not in told.requested:
            self._wrong("1: sent before it was committed", known.incident_id if known else None)
            return
        row = self._database.tables.alert.get((known.incident_id, known.n))
        if row is None or row.medic_id not in (medic_id, None):
            self._wrong("2: sent to another medic", known.incident_id)

    def called(self, notification: str, *, taken_before: int) -> None:
        """A request to a provider that can not tell a repeat."""
        known = parse_notification_id(notification)
        told = self.incidents.get(known.incident_id) if known is not None else None
        if known is None or told is None or (known.n, known.k) not in told.requested:
            self._wrong("1: an SMS before it was committed", known.incident_id if known else None)
        elif taken_before:
            self._wrong("2: a second SMS of one notification", known.incident_id)

    def acknowledged(self, room_id: str, incident_id: str) -> None:
        """201 or 200 has reached the control room."""
        told = self.incidents.get(incident_id)
        if told is None or told.room_id != room_id:
            self._wrong("1: acknowledged and not in the database", incident_id)

    # --- what medics are told

    def events_of(self, alert_id: str) -> int:
        """How many events the incident of an alert has at this moment."""
        known = parse_alert_id(alert_id)
        told = self.incidents.get(known.incident_id) if known is not None else None
        return len(told.events) if told is not None else 0

    def claims_of(self, medic_id: str) -> list[tuple[str, int]]:
        """Her open and engaged alerts of real incidents: each its incident and number."""
        return list(self._claims.get(medic_id, ()))

    def refused(self, alert_id: str, word: str, asked_at: int) -> None:
        """An answer was, given when there were ``asked_at`` events: not one that had been taken before."""
        known = parse_alert_id(alert_id)
        assert known is not None
        incident_id = known.incident_id
        told = self.incidents.get(incident_id)
        if told is None or told.state is None or not told.state.live or word not in ("accept", "arrived"):
            return
        alert = told.state.alert(known.n)
        since = [event for event in told.events[asked_at:] if getattr(event, "n", None) == alert.n]
        if self._now_ms() >= lapse_at(alert, self._policy(incident_id)):
            return  # time has finished her, though nobody may have committed that yet
        if alert.engaged and not any(isinstance(event, CHANGES_HER_ANSWER) for event in since):
            self._wrong(f"an answer that was taken is refused when it is said again: {word}", incident_id)

    # --- for all checkers

    def wrong(self, invariant: str, incident_id: str | None = None) -> None:
        self._wrong(invariant, incident_id)

    def _wrong(self, invariant: str, incident_id: str | None) -> None:
        told = self.incidents.get(incident_id) if incident_id is not None else None
        events = told.events[-EVENTS_SHOWN:] if told is not None else []
        self.violations.append(Violation(invariant, incident_id, [_shown(event) for event in events]))

    def _policy(self, incident_id: str) -> Policy:
        return self._policies[self._database.tables.incident[incident_id].policy]


class Policies:
    """The policies in the database, by hash, decoded once."""

    def __init__(self, database: ModelDatabase) -> None:
        self._database = database
        self._decoded: dict[str, Policy] = {}

    def __getitem__(self, hash_: str) -> Policy:
        policy = self._decoded.get(hash_)
        if policy is None:
            policy = self._decoded[hash_] = _decode_policy(self._database.tables.policy[hash_].body)
        return policy


def _holds(alert: Alert) -> str | None:
    return "open" if alert.open else "engaged" if alert.engaged else None


def _shown(event: e.AnyEvent) -> str:
    fields: dict[str, Any] = {
        name: value
        for name in event.__struct_fields__
        if name != "key" and (value := getattr(event, name)) not in (None, (), "")
    }
    return f"{type(event).__name__} " + " ".join(f"{name}={value}" for name, value in fields.items())
