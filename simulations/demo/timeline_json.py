"""A timeline for scripts: one JSON object, every moment in milliseconds since the report was sent."""

from collections.abc import Iterable, Mapping

from simulations.demo.timeline import AlertLine, Json, Timeline
from simulations.population import Resident


def alert_json(alert: AlertLine, residents: Mapping[str, Resident]) -> Json:
    """One alert for a script: who, over what, and after how many milliseconds."""
    resident = residents.get(alert.medic_id or "")
    first = alert.answers[0] if alert.answers else None
    return {
        "n": alert.n,
        "medic_id": alert.medic_id,
        "medic": resident.name if resident else None,
        "mode": resident.mode if resident else None,
        "role": alert.role,
        "wave": alert.wave,
        "distance_m": alert.distance_m,
        "eta_s": alert.eta_s,
        "state": alert.state,
        "channels": alert.channels(),
        "requested_ms": alert.requested_ms,
        "received_ms": alert.received_ms,
        "delivered_ms": alert.delivered_ms,
        "seen_ms": alert.seen_ms,
        "answered_ms": first[2] if first else None,
        "answer": first[0] if first else None,
        "answers": [{"answer": word, "channel": channel, "ms": ms} for word, channel, ms in alert.answers],
        "stand_down": _stand_down_json(alert),
        "notifications": [
            {
                "channel": note.channel,
                "purpose": note.purpose,
                "requested_ms": note.requested_ms,
                "sent_ms": note.sent_ms,
                "delivered_ms": note.delivered_ms,
                "failed_ms": note.failed_ms,
                "reason": note.reason,
            }
            for note in alert.notifications.values()
        ],
    }


def _stand_down_json(alert: AlertLine) -> Json | None:
    if alert.stood_down_ms is None:
        return None
    return {
        "reason": alert.stand_down_reason,
        "ms": alert.stood_down_ms,
        "received_ms": alert.stand_down_received_ms,
    }


def timings_json(timeline: Timeline) -> Json:
    """The incident's milestones, each in milliseconds after the report was sent; None: it did not happen."""
    alerts = list(timeline.alerts.values())
    first_wave = [alert for alert in alerts if alert.wave == min((each.wave for each in alerts), default=0)]
    answers = [answer for alert in alerts for answer in alert.answers]
    return {
        "acknowledged_ms": timeline.created_ms,
        "first_alert_requested_ms": _least(alert.requested_ms for alert in alerts),
        "first_phone_ms": _least(alert.received_ms for alert in alerts),
        "first_wave_on_phones_ms": max((alert.received_ms or 0 for alert in first_wave), default=0) or None,
        "first_delivered_ms": _least(alert.delivered_ms for alert in alerts),
        "first_seen_ms": _least(alert.seen_ms for alert in alerts),
        "first_answer_ms": _least(ms for _, _, ms in answers),
        "first_accept_ms": _least(ms for word, _, ms in answers if word == "accept"),
        "covered_ms": timeline.covered_ms,
        "first_stand_down_ms": _least(alert.stood_down_ms for alert in alerts),
        "first_stand_down_on_phone_ms": _least(alert.stand_down_received_ms for alert in alerts),
    }


def _least(values: Iterable[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)
