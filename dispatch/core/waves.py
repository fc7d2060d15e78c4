"""Whom to ask: how many alerts are due, who may be asked (again), and the choice of the next wave."""

from typing import Any

from dispatch.core import events as e
from dispatch.core.commands import Candidate, Search
from dispatch.core.draft import Draft
from dispatch.core.incident import CAME, Alert, Incident, is_on_the_way, on_the_way
from dispatch.core.lifecycle import LIVE, OPEN
from dispatch.core.policy import Policy

SETTLED = ("declined", "expired", "stood_down", "failed")
"""Ended without her coming: with ``replace`` such an alert fills no place."""


def alerts_due(state: Incident, policy: Policy, at: int) -> int:
    """The alerts of all waves whose time has come on the waves' clock, plus what ``more`` asked."""
    clock, due = state.wave_clock(at), state.more
    for wave in policy.waves:
        if wave.after_s * 1000 <= clock:
            due += wave.alerts
    return due


def is_lost(alert: Alert, policy: Policy) -> bool:
    """Open, every rung failed definitely, and nothing was delivered."""
    if alert.delivered_at is not None or alert.state not in OPEN:
        return False
    reached = set()
    for note in alert.notes:
        if note.purpose == "alert":
            if not note.unsent:
                return False
            reached.add(note.channel)
    return all(rung.channel in reached for rung in policy.ladder)


def counts(alert: Alert, policy: Policy) -> bool:
    """Whether an alert since opening or the last reopen fills one of the alerts due."""
    if alert.state in CAME:
        return is_on_the_way(alert)
    if not alert.counts:
        return False
    if alert.state in OPEN:
        return _fills(alert, policy)
    return not policy.replace and _used_up(alert)


def _fills(alert: Alert, policy: Policy) -> bool:
    """Whether an open alert is one that the waves wait for: with ``replace`` not one that is lost."""
    return not policy.replace or not is_lost(alert, policy)


def _used_up(alert: Alert) -> bool:
    """Ended without a yes by her or by time alone, not by us."""
    if alert.state == "declined":
        return alert.reason is None and not alert.withdrawn
    return alert.state in ("expired", "failed")


def shortfall(state: Incident, policy: Policy, at: int) -> int:
    """How many more are to be asked now; 0 or less while nobody is."""
    if not state.asking:
        return 0
    missing, era, replaced = alerts_due(state, policy, at), state.era, policy.replace
    for alert in state.alerts:
        if alert.era != era or (replaced and alert.state in SETTLED):
            continue
        if counts(alert, policy):
            missing -= 1
    return missing


def room(state: Incident, policy: Policy) -> int:
    """How many medics never asked since opening or the last reopen may still be."""
    era = state.era
    asked = {alert.first for alert in state.alerts if alert.era == era}
    return max(0, policy.alerts_max + state.more - len(asked))


def may_ask_again(state: Incident, policy: Policy, hers: list[Alert]) -> bool:
    """Whether the medic of these alerts, all that she had, may be asked again for this incident."""
    newest = hers[-1]
    if newest.state in LIVE:
        return False
    for alert in hers:
        if alert.state == "declined":
            return False
    asked_for_more = 0 < newest.n <= state.more_after_n
    if len(hers) >= policy.asks_max and not asked_for_more:
        return False
    if newest.era < state.era:
        return True
    if newest.expired_at is not None:
        return asked_for_more
    return newest.state == "stood_down"


def reach_s(state: Incident, policy: Policy, at: int) -> int:
    """The largest travel time that is asked, in s; below 0 where the ambulance will be first anyway."""
    if policy.before_ambulance_only and state.ambulance_due_at is not None:
        return min(policy.reach_s, (state.ambulance_due_at - at) // 1000)
    return policy.reach_s


def search_for(draft: Draft, count: int) -> Search | None:
    """Whom to look for; None where nobody could be asked whoever is found."""
    state, policy = draft.state, draft.policy
    reach = reach_s(state, policy, draft.at)
    if count <= 0 or reach < 0:
        return None
    fresh = room(state, policy)
    exclude, again = _asked_before(state, policy)
    if not (fresh or again):
        return None
    return Search(
        count=count,
        reach_s=reach,
        exclude=exclude,
        again=again,
        new_max=fresh,
        **_of_policy(policy, state.setting, state.drill, state.priority),
    )


def _asked_before(state: Incident, policy: Policy) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The first alerts' numbers of the medics who may not be asked again now, and of those who may."""
    earlier: dict[int, list[Alert]] = {}
    for alert in state.alerts:
        if alert.first != alert.n:
            earlier.setdefault(alert.first, [state.alerts[alert.first - 1]]).append(alert)
    exclude: list[int] = []
    again: list[int] = []
    for alert in state.alerts:
        n = alert.n
        if alert.first != n:
            continue
        if may_ask_again(state, policy, earlier.get(n) or [alert]):
            again.append(n)
        else:
            exclude.append(n)
    return tuple(exclude), tuple(again)


def requirements(policy: Policy, *, setting: e.Setting, drill: bool, priority: int) -> Search:
    """What an incident of this policy asks of a medic, whoever she is; a search for nobody yet."""
    about = _of_policy(policy, setting, drill, priority)
    return Search(count=0, reach_s=policy.reach_s, exclude=(), again=(), new_max=0, **about)


def _of_policy(policy: Policy, setting: e.Setting, drill: bool, priority: int) -> dict[str, Any]:
    return {
        "fix_stale_s": policy.fix_stale_s,
        "skills_any": policy.skills_any,
        "cleared_only": policy.private_needs_clearance and setting == "private",
        "drill": drill,
        "priority": priority,
        "channels": tuple([rung.channel for rung in policy.ladder]),
    }


def ask(draft: Draft) -> None:
    """The shortfall is asked: the next best by ``eta_s``, in one wave."""
    candidates = draft.command.candidates
    search = draft.answered or _search_for_the_short(draft)
    if search is None:
        return
    if candidates is None:
        draft.look_for(search)
        return
    draft.short = draft.missing = True
    chosen = choose(candidates, draft.state, search)
    if not chosen:
        return
    wave = draft.state.waves + 1
    draft.emit(e.WaveDecided, wave=wave, considered=len(candidates), chosen=len(chosen))
    for candidate in chosen:
        _request(draft, candidate, wave)
    draft.missing = _search_for_the_short(draft) is not None


def _search_for_the_short(draft: Draft) -> Search | None:
    count = shortfall(draft.state, draft.policy, draft.at)
    draft.short = count > 0
    return search_for(draft, count)


def eligible(candidates: tuple[Candidate, ...], state: Incident, search: Search) -> list[Candidate]:
    """The candidates who may be asked, best first; those of equal ``eta_s`` stay in the roster's order.

    The newly asked among them are as many as there is room for.
    """
    fresh, found = search.new_max, []
    known = {alert.first for alert in state.current()}
    for candidate in sorted(candidates, key=lambda candidate: candidate.eta_s):
        first = candidate.first
        if candidate.eta_s > search.reach_s or (first is not None and first not in search.again):
            continue
        if first not in known:
            if not fresh:
                continue
            fresh -= 1
        found.append(candidate)
    return found


def choose(candidates: tuple[Candidate, ...], state: Incident, search: Search) -> list[Candidate]:
    """Exactly the next best: nobody eligible is passed over."""
    return eligible(candidates, state, search)[: search.count]


def _request(draft: Draft, candidate: Candidate, wave: int) -> None:
    n = len(draft.state.alerts) + 1
    draft.emit(
        e.AlertRequested,
        n=n,
        role="direct",
        wave=wave,
        eta_s=candidate.eta_s,
        expires_at=draft.at + draft.policy.answer_within_s * 1000,
        first=candidate.first if candidate.first is not None else n,
    )
    draft.asked.append((n, candidate))
    # A rung that can not be climbed has failed at once, and the next one need not wait for it.
    missing = [rung.channel for rung in draft.policy.ladder if rung.channel not in candidate.channels]
    for k, channel in enumerate(missing, start=1):
        draft.emit(
            e.NotificationFailed,
            n=n,
            k=k,
            channel=channel,
            purpose="alert",
            reason="unreachable",
            definite=True,
        )


def move(draft: Draft, eta_by_n: dict[int, int]) -> None:
    """The incident moved: who is out of reach is stood down, the others get their new travel time.

    An open alert goes on counting unless it is slower by more than ``better_by_s`` than the last of the
    medics who are now best.
    """
    reach = reach_s(draft.state, draft.policy, draft.at)
    for alert in draft.state.alerts:
        if alert.open and eta_by_n.get(alert.n, 0) > reach:
            draft.emit(e.AlertStoodDown, n=alert.n, reason="moved")
    slowest = _slowest_wanted_s(draft, eta_by_n) if any(alert.open for alert in draft.state.alerts) else 0
    for alert in draft.state.alerts:
        if alert.n in eta_by_n and (alert.open or alert.state == "accepted"):
            eta_s = eta_by_n[alert.n]
            still = not alert.open or eta_s <= slowest + draft.policy.better_by_s
            draft.emit(e.AlertMoved, n=alert.n, eta_s=eta_s, counts=still)
    draft.judge = True


def _slowest_wanted_s(draft: Draft, eta_by_n: dict[int, int]) -> float:
    """The travel time of the last of the medics now best, open alerts and candidates taken together.

    They are as many as are due, but for the places that others than open alerts fill.
    """
    state, policy = draft.state, draft.policy
    filled = [alert for alert in state.current() if not alert.open and counts(alert, policy)]
    places = alerts_due(state, policy, draft.at) - len(filled)
    search = search_for(draft, max(places, 0))
    candidates = draft.command.candidates
    if candidates is None and search is not None:
        draft.look_for(search)
    found = eligible(candidates or (), state, search) if search else []
    best = sorted(
        [candidate.eta_s for candidate in found]
        + [
            eta_by_n.get(alert.n, alert.eta_s)
            for alert in state.alerts
            if alert.open and _fills(alert, policy)
        ]
    )
    return best[places - 1] if 0 < places <= len(best) else float("inf")


def nobody_found(draft: Draft) -> None:
    """Told once on entering: asking, and nobody is left who might still say yes."""
    state = draft.state
    if not state.asking or state.exhausted:
        return
    for alert in state.alerts:
        if alert.state in OPEN and not is_lost(alert, draft.policy):
            return
    asked = len({alert.first for alert in state.current()})
    draft.emit(e.NobodyFound, asked=asked, on_the_way=len(on_the_way(state)))
