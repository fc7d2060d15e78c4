"""A Message resource: what Twilio keeps of one SMS, and its JSON (API 2010-04-01)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal

from simulations.twilio_double.segments import count_segments

API_VERSION = "2010-04-01"


@dataclass
class Record:
    """One message. Times are seconds since the Unix epoch."""

    sid: str
    account_sid: str
    direction: Literal["outbound-api", "outbound-reply", "inbound"]
    to: str
    from_: str
    service_sid: str | None
    body: str
    created_s: float
    callback_url: str | None = None
    validity_s: float = 36_000.0
    status: str = "queued"
    error_code: int | None = None
    sent_s: float | None = None

    @property
    def uri(self) -> str:
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}.json"

    def resource(self) -> dict[str, Any]:
        """The JSON of create, list and fetch. A service's message has no sender and no segments at first."""
        assigned = self.service_sid is None or self.status not in ("accepted", "queued")
        return {
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": _rfc2822(self.created_s),
            "date_sent": _rfc2822(self.sent_s),
            "date_updated": _rfc2822(self.sent_s or self.created_s),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None,
            "from": self.from_ if assigned else None,
            "messaging_service_sid": self.service_sid,
            "num_media": "0",
            "num_segments": str(count_segments(self.body)) if assigned else "0",
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": self.uri.replace(".json", "/Media.json")},
            "to": self.to,
            "uri": self.uri,
        }

    def status_form(self) -> dict[str, str]:
        """The form of a status callback, as things stand now."""
        form = {
            "AccountSid": self.account_sid,
            "ApiVersion": API_VERSION,
            "From": self.from_,
            "MessageSid": self.sid,
            "MessageStatus": self.status,
            "SmsSid": self.sid,
            "SmsStatus": self.status,
            "To": self.to,
        }
        if self.service_sid is not None:
            form["MessagingServiceSid"] = self.service_sid
        if self.error_code is not None:
            form["ErrorCode"] = str(self.error_code)
        return form

    def reply_form(self) -> dict[str, str]:
        """The form of an inbound message."""
        form = {
            "AccountSid": self.account_sid,
            "ApiVersion": API_VERSION,
            "Body": self.body,
            "From": self.from_,
            "MessageSid": self.sid,
            "NumMedia": "0",
            "NumSegments": str(count_segments(self.body)),
            "SmsMessageSid": self.sid,
            "SmsSid": self.sid,
            "SmsStatus": "received",
            "To": self.to,
        }
        if self.service_sid is not None:
            form["MessagingServiceSid"] = self.service_sid
        return form


def _rfc2822(at_s: float | None) -> str | None:
    return None if at_s is None else format_datetime(datetime.fromtimestamp(int(at_s), UTC))
