"""A receipt's short way: beside what it says of one alert, only that alert's own rungs can follow from it.

Most decisions are about receipts, and most of what a decision looks at they can not change. A send that went
out, a device that has it, a person who saw it: such an alert stays open or ended as it was, whoever was on
the way still is, and nobody is missing who was not missing before. While nobody is, and before the incident's
next time is due, that leaves two things: a rung of this alert that may now be climbed, and when the next tick
is owed. The latter stays as it was unless one of the alert's rungs was what it waited for, or the incident's
closing by itself, which a medic's word puts off. Random lives are decided both ways (``tests/core``).
"""

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.draft import Draft
from dispatch.core.incident import Alert, Incident
from dispatch.core.policy import Policy
from dispatch.core.timers import auto_close_at

_RECEIPTS = frozenset({e.NotificationSent, e.NotificationDelivered, e.AlertDelivered, e.AlertSeen})


def receipt_of(draft: Draft, before: Incident, quiet_until: float) -> Alert | None:
    """The alert that this decision's command, already carried out, is a receipt of, if it may be cut short.

    ``quiet_until``: before then nothing is due by time alone and nobody is missing, as the last decision
    found.
    """
    command = draft.command
    if draft.at >= quiet_until or not isinstance(command, c.See | c.Settle):
        return None
    for event in draft.events:
        if type(event) not in _RECEIPTS:
            return None
    if before.live and auto_close_at(before, draft.policy) <= quiet_until:
        return None
    return draft.state.alerts[command.n - 1]


def may_wait_for(alert: Alert, due_at: float, policy: Policy) -> bool:
    """Whether the incident's next tick was perhaps for one of this alert's rungs."""
    told = alert.requested_at, alert.told_at
    return due_at in [since + rung.after_s * 1000 for since in told for rung in policy.ladder]
