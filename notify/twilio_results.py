"""Twilio's error codes and status words, as the outcomes that a sender understands.

Sources: Twilio's error and warning dictionary, and the Message resource's status values. Codes that are not
listed are read cautiously: refused for a reason that we do not know, hence not about this medic.
"""

from __future__ import annotations

from notify.channel import Failed, Outcome, Postponed, Sent

CREDENTIALS_RETRY_S = 15.0
SENDER_RETRY_S = 15.0

# This phone cannot be reached by SMS from us, now and next time.
_PHONE: dict[int, str] = {
    21211: "invalid_number",
    21214: "unreachable_number",
    21217: "invalid_number",
    21262: "invalid_number",
    21263: "invalid_number",
    21265: "invalid_number",
    21266: "invalid_number",
    21268: "invalid_number",
    21408: "region_not_permitted",
    21608: "unverified_number",
    21610: "opted_out",
    21612: "unroutable",
    21614: "not_a_mobile",
    21635: "not_a_mobile",
    30003: "handset_unreachable",
    30004: "blocked",
    30005: "unknown_handset",
    30006: "not_a_mobile",
    30007: "filtered",
}
# Our sender or account is refused: nobody can be reached, and mending it mends the same notification.
_SENDER: dict[int, str] = {
    20005: "account_not_active",
    21212: "sender_refused",
    21603: "sender_refused",
    21606: "sender_refused",
    21611: "queue_full",
    21659: "sender_refused",
    21660: "sender_refused",
    21701: "sender_refused",
    21703: "sender_refused",
    21704: "sender_refused",
    21705: "sender_refused",
}
# Accepted, then given up for reasons that are not hers.
_GIVEN_UP: dict[int, str] = {
    30001: "queue_full",
    30002: "account_suspended",
    30008: "carrier_error",
    30034: "sender_unregistered",
    30036: "expired",
}

_ON_ITS_WAY = frozenset(("accepted", "scheduled", "queued", "sending", "sent"))
_ARRIVED = frozenset(("delivered", "read", "partially_delivered"))
_NOT_SENT = frozenset(("undelivered", "failed", "canceled"))


def refusal(status: int, code: int | None) -> Failed | Postponed:
    """A 4xx answer to a create, not a 408: certainly not sent."""
    if status in (401, 403):
        return Postponed("credentials", CREDENTIALS_RETRY_S)
    if code in _PHONE:
        return Failed(_PHONE[code])
    if code in _SENDER or status == 404:
        return Postponed(_SENDER.get(code or 0, "account_not_found"), SENDER_RETRY_S)
    return Failed(f"refused_{code or status}", definite=False)


def status_outcome(status: str, error_code: int | None, provider_id: str | None) -> Outcome | None:
    """What a message's status word says; None for a word that we do not know, which changes nothing."""
    if status in _ON_ITS_WAY:
        return Sent(provider_id)
    if status in _ARRIVED:
        return Sent(provider_id, delivered=True)
    if status in _NOT_SENT:
        return _given_up(error_code)
    return None


def _given_up(code: int | None) -> Failed:
    if code in _PHONE:
        return Failed(_PHONE[code])
    return Failed(_GIVEN_UP.get(code or 0, f"undelivered_{code}" if code else "undelivered"), definite=False)
