"""What must stay true of every decision, whatever came before: a watcher, apart from what it watches.

It keeps its own books from the events alone, and asks the core for nothing but its state.
"""

from collections import Counter

from dispatch.core import events as e
from dispatch.core.decide import Decision
from dispatch.core.evolve import evolve, evolve_all
from dispatch.core.incident import Alert, Incident
from dispatch.core.policy import Policy
from dispatch.core.waves import reach_s
from tests.core.world import Medic, Night, holders

ENDS = {"finished", "declined", "expired", "stood_down", "failed"}


class Books:
    """Who was asked, and how it ended, by events alone. Alerts go by number, medics by their first one."""

    def __init__(self) -> None:
        self.era = 1
        self.era_of: dict[int, int] = {}
        self.by_first: dict[int, list[int]] = {}
        self.declined: set[int] = set()
        self.expired: set[int] = set()
        self.stood_down: set[int] = set()
        self.said_yes: set[int] = set()
        self.was_there: set[int] = set()
        self.overdue: set[int] = set()
        self.more = 0
        self.asked_before_more = 0
        self.sms: Counter[tuple[int, str]] = Counter()
        self.told_to_stop: set[int] = set()

    def note(self, event: e.Event) -> None:
        match event:
            case e.AlertRequested(n=n, first=first):
                self.era_of[n] = self.era
                self.by_first.setdefault(first, []).append(n)
            case e.AlertAnswered(n=n, answer="decline"):
                self.declined.add(n)
            case e.AlertAnswered(n=n, answer="accept" | "arrived" as answer):
                self.era_of[n] = self.era  # whoever comes late comes to what it now is
                for ended in (self.declined, self.expired, self.stood_down, self.overdue, self.was_there):
                    ended.discard(n)
                self.said_yes.add(n)
                if answer == "arrived":
                    self.was_there.add(n)
            case e.AlertAnswered(n=n, answer="finished", by=by) if by != "timer":
                self.was_there.add(n)
                self.overdue.discard(n)
            case e.AlertOverdue(n=n):
                self.overdue.add(n)
            case e.AlertMoved(n=n):
                self.overdue.discard(n)
            case e.AlertExpired(n=n) | e.AlertFailed(n=n):
                self.expired.add(n)
            case e.AlertStoodDown(n=n):
                self.stood_down.add(n)
            case e.MoreRequested(count=count):
                self.more += count
                self.asked_before_more = len(self.era_of)
            case e.IncidentReopened():
                self.era, self.more, self.asked_before_more = self.era + 1, 0, 0
            case e.NotificationRequested(n=n, purpose=purpose, channel=channel):
                if channel == "sms":
                    self.sms[n, purpose] += 1
                if purpose == "stand_down":
                    self.told_to_stop.add(n)

    def asked_this_era(self) -> set[int]:
        return {
            first for first, hers in self.by_first.items() if any(self.era_of[n] == self.era for n in hers)
        }

    def coming(self, state: Incident) -> list[Alert]:
        """RULES, On the way."""
        there = ("accepted", "arrived")
        return [
            alert
            for alert in state.alerts
            if self.era_of[alert.n] == self.era
            and alert.n not in self.overdue
            and (alert.state in there or (alert.state == "finished" and alert.n in self.was_there))
        ]

    def filled(self, state: Incident, policy: Policy) -> int:
        """RULES, Counts: how many of the alerts due are filled."""
        current = [alert for alert in state.alerts if self.era_of[alert.n] == self.era]
        coming = {alert.n for alert in self.coming(state)}
        return sum(alert.n in coming or self._fills(alert, policy) for alert in current)

    def _fills(self, alert: Alert, policy: Policy) -> bool:
        if alert.n in self.overdue or not alert.counts:
            return False
        if alert.open:
            return not policy.replace or not lost(alert, policy)
        declined = alert.n in self.declined and not {alert.n} & (self.said_yes | self.stood_down)
        return not policy.replace and (alert.state in ("expired", "failed") or declined)

    def may_ask_again(self, first: int, asks_max: int) -> bool:
        """RULES, Again."""
        hers = self.by_first[first]
        newest = hers[-1]
        by_more = newest <= self.asked_before_more
        if self.declined & set(hers) or (len(hers) >= asks_max and not by_more):
            return False
        if self.era_of[newest] < self.era:
            return True
        if newest in self.expired:
            return by_more
        return newest in self.stood_down


def lost(alert: Alert, policy: Policy) -> bool:
    """RULES, Lost: every rung failed definitely, and nothing was delivered."""
    notes = [note for note in alert.notes if note.purpose == "alert"]
    failed = all(note.state == "failed" and note.definite for note in notes)
    tried = {note.channel for note in notes}
    return alert.delivered_at is None and failed and {rung.channel for rung in policy.ladder} <= tried


def due(state: Incident, policy: Policy, more: int, at: int) -> int:
    return more + sum(wave.alerts for wave in policy.waves if wave.after_s * 1000 <= state.wave_clock(at))


class Invariants:
    """A ``Watch``. Raises AssertionError on the first decision of which something is not true."""

    def __init__(self) -> None:
        self.books = Books()

    def __call__(self, night: Night, before: Incident | None, decision: Decision) -> None:
        state = before
        for event in decision.events:
            if state is not None:
                self._check_event(night, state, event)
            assert b"medic-" not in e.encode(event), "who she is stands in no event"
            state = evolve(state, event)
            self.books.note(event)
        if state is not None:
            self._check_state(night, before, state, decision)

    # Of each event, by the state that it comes upon

    def _check_event(self, night: Night, state: Incident, event: e.Event) -> None:
        assert event.at >= state.at, "time runs back"
        if isinstance(event, e.AlertRequested):
            self._check_request(night, state, event)
        elif isinstance(event, e.NotificationRequested):
            self._check_notification(state, event)
        elif isinstance(event, e.AlertStoodDown):
            alert = state.alert(event.n)
            assert alert.state != "expired" or alert.delivered_at is not None, "nobody has it to put down"
        elif isinstance(event, e.NobodyFound):
            assert not state.exhausted, "told twice"

    def _check_request(self, night: Night, state: Incident, event: e.AlertRequested) -> None:
        assert state.state == "open"
        assert not state.covered
        assert not state.enough
        assert state.ambulance_arrived_at is None
        hers = self.books.by_first.get(event.first, [])
        assert (event.first == event.n) == (not hers)
        assert not any(state.alert(n).open or state.alert(n).engaged for n in hers), "two at once"
        if hers:
            assert self.books.may_ask_again(event.first, night.policy.asks_max)
        asked = self.books.asked_this_era()
        assert event.first in asked or len(asked) < night.policy.alerts_max + self.books.more
        assert event.eta_s <= reach_s(state, night.policy, event.at)

    def _check_notification(self, state: Incident, event: e.NotificationRequested) -> None:
        alert = state.alert(event.n)
        assert "paused" not in state.held_for, "paused, and something is sent"
        if event.purpose == "alert":
            assert state.state == "open"
            assert alert.open, "an alert is requested for one who is not to come"
            assert event.channel != "sms" or not self.books.sms[event.n, "alert"], "a second SMS"
        elif event.purpose == "stand_down":
            assert alert.state == "stood_down"
            assert event.channel != "sms" or alert.expired_at is None
        else:
            assert state.live
            assert alert.open or alert.engaged

    # Of the state that it leaves

    def _check_state(
        self, night: Night, before: Incident | None, state: Incident, decision: Decision
    ) -> None:
        policy, at = night.policy, max(state.at, night.at)
        assert decision.due_at is None or decision.due_at > at, "a tick owed in the past"
        open_alerts = [alert for alert in state.alerts if alert.open]
        if state.state != "open":
            assert not open_alerts, "nobody keeps an open alert"
        if not state.live:
            assert all(alert.state in ENDS for alert in state.alerts), "every alert ends"
        else:
            coming = len(self.books.coming(state))
            assert state.covered == (coming >= policy.wanted + self.books.more)
            assert decision.due_at is not None, "a live incident closes by itself at last"
        assert not (state.enough_said and open_alerts)
        live = [night.medic_of[alert.n].id for alert in state.alerts if alert.open or alert.engaged]
        assert len(live) == len(set(live)), "one medic, one alert"
        if decision.asked:
            filled, wanted = self.books.filled(state, policy), due(state, policy, self.books.more, at)
            assert filled <= wanted, "more phones rung than alerts are due"
        if any(isinstance(event, e.IncidentCovered) for event in decision.events) and state.covered:
            self._check_covered(state, policy, at)
        if state.asking:
            self._check_asking(night, before, state, decision, at)

    def _check_covered(self, state: Incident, policy: Policy, at: int) -> None:
        """Only who could still beat the best of those on the way keeps an open alert."""
        coming = self.books.coming(state)
        there = any(alert.n in self.books.was_there for alert in coming)
        best = min(alert.eta_at + alert.eta_s * 1000 for alert in coming)
        for alert in state.alerts:
            if alert.open:
                assert not there
                assert at + (alert.eta_s + policy.better_by_s) * 1000 <= best

    def _check_asking(
        self, night: Night, before: Incident | None, state: Incident, decision: Decision, at: int
    ) -> None:
        policy = night.policy
        missing = due(state, policy, self.books.more, at) - self.books.filled(state, policy)
        if not any(alert.open and not lost(alert, policy) for alert in state.alerts):
            assert state.exhausted, "nobody is left, and the control room does not know"
        left = self._left_to_ask(night, before, state, at)
        if missing > 0:
            assert not left, f"{missing} missing, and {left[0].id} was passed over"
            if self._could_ask(state, night, at):
                clock = state.wave_clock(at)
                assert decision.due_at is not None
                if clock + policy.look_again_s * 1000 <= policy.look_s_max * 1000:
                    assert decision.due_at <= at + policy.look_again_s * 1000, "no look is owed"
        for medic in left:
            self._check_not_passed_over(night, medic, decision)

    def _could_ask(self, state: Incident, night: Night, at: int) -> bool:
        """Somebody could be asked, were she there."""
        new = len(self.books.asked_this_era()) < night.policy.alerts_max + self.books.more
        return new and reach_s(state, night.policy, at) >= 0

    def _left_to_ask(self, night: Night, before: Incident | None, state: Incident, at: int) -> list[Medic]:
        """Whoever was free when this was decided, may be asked by the rules, and was not."""
        busy = holders(before, night.medic_of) | holders(state, night.medic_of)
        reach = reach_s(state, night.policy, at)
        channels = {rung.channel for rung in night.policy.ladder}
        return [
            medic
            for medic in night.near
            if medic.id not in busy
            and medic.free
            and medic.fits
            and medic.eta_s <= reach
            and channels & set(medic.channels)
            and self._may_ask(night, medic)
        ]

    def _may_ask(self, night: Night, medic: Medic) -> bool:
        first = _first_of(night, medic)
        if first is not None and not self.books.may_ask_again(first, night.policy.asks_max):
            return False
        asked = self.books.asked_this_era()
        return first in asked or len(asked) < night.policy.alerts_max + self.books.more

    def _check_not_passed_over(self, night: Night, medic: Medic, decision: Decision) -> None:
        for n, candidate in decision.asked:
            assert candidate.eta_s <= medic.eta_s, f"{medic.id} is nearer than alert {n}'s medic"


def _first_of(night: Night, medic: Medic) -> int | None:
    return next((n for n, asked in night.medic_of.items() if asked.id == medic.id), None)


def check_the_end(night: Night, books: Books) -> None:
    """Left alone it ends, with every alert, and all who knew of theirs were told to stop."""
    state = night.state
    assert night.due_at is None
    assert not state.live
    for alert in state.alerts:
        assert alert.state in ENDS
        if alert.state == "stood_down" and alert.may_know and "paused" not in state.held_for:
            assert alert.n in books.told_to_stop
    assert evolve_all(None, [e.decode(e.encode(event)) for event in night.events]) == state
