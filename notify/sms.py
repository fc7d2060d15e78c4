"""The `sms` channel: Twilio, through its own library and `OneShotClient`.

A phone rings for every SMS, so none is ever sent twice for one notification: a send whose fate is unknown is
looked up at Twilio by the short code in its text. No phone number is logged or put into a reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from twilio.base import values
from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from notify.channel import Failed, Outcome, Postponed, Sent, Unknown
from notify.message import Message
from notify.texts import sms_text
from notify.twilio_http import TWILIO_URL, NotSent, OneShotClient, Uncertain
from notify.twilio_results import CREDENTIALS_RETRY_S, refusal, status_outcome

if TYPE_CHECKING:
    from twilio.rest.api.v2010.account.message import MessageInstance

VALIDITY_S_MAX = 36_000  # Twilio's own bound, and its default: ten hours in a queue
FOLLOW_UP_VALIDITY_S = 600  # an update or a stand-down outlives the alert that it follows
ENROLMENT_VALIDITY_S = 600  # as long as the code is good
_ASK_AFTER_S = 2.0  # an accepted message is usually listed at once; one that is not, by `lag_s`
_LISTED_MAX = 200
_PAGE_SIZE = 50
_CLOCKS_APART_MS_MAX = 300_000


@dataclass(frozen=True)
class SmsSettings:
    """Twilio's account and sender. ValueError unless exactly one of the two senders is given.

    `public_url` is where Twilio reaches this service (None: no status callbacks); `lag_s` how long after a
    request Twilio's list may still lack a message that it accepted.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    from_number: str | None = None
    messaging_service_sid: str | None = None
    public_url: str | None = None
    api_url: str = TWILIO_URL
    timeout_s: float = 10.0
    lag_s: float = 20.0

    def __post_init__(self) -> None:
        if (self.from_number is None) == (self.messaging_service_sid is None):
            raise ValueError("SMS needs a from-number or a messaging service SID, and not both")
        if not self.account_sid or ":" in self.account_sid:
            raise ValueError("the Twilio account SID is empty or malformed")
        for url in (self.api_url, self.public_url):
            if url is not None and not url.startswith(("https://", "http://")):
                raise ValueError("a URL for SMS begins with https:// (or http://)")

    def status_url(self, notification_id: str) -> str | None:
        """Where Twilio reports what became of this notification; None without a public URL."""
        if self.public_url is None:
            return None
        query = urlencode({"notification": notification_id})
        return f"{self.public_url.rstrip('/')}/v1/twilio/status?{query}"


class SmsChannel:
    """SMS as a `Channel` whose address is an E.164 phone number; `now_ms` is the service's clock.

    Neither `send` nor `look_up` raises, and each of their requests ends within `timeout_s`.
    """

    name = "sms"
    repeatable = False

    def __init__(self, settings: SmsSettings, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._now_ms = now_ms
        self._http = OneShotClient(settings.timeout_s, settings.api_url)
        client = Client(settings.account_sid, settings.auth_token, http_client=self._http)
        # Asked for now: the library imports what is behind it then, and the first SMS would wait for that.
        self._messages = client.messages

    async def send(self, message: Message, address: str) -> Outcome:
        """Create the SMS; an alert waits at Twilio no longer than until it expires."""
        validity_s = self._validity_s(message)
        if validity_s < 1:
            return Failed("expired", definite=False)
        return await self.send_text(
            sms_text(message), address, validity_s=validity_s, notification_id=message.message_id
        )

    async def send_text(
        self,
        text: str,
        address: str,
        *,
        validity_s: int = ENROLMENT_VALIDITY_S,
        notification_id: str | None = None,
    ) -> Outcome:
        """Create an SMS that says `text` (an enrolment code); status callbacks only with a notification."""
        callback = None if notification_id is None else self._settings.status_url(notification_id)
        try:
            created = await self._messages.create_async(
                to=address,
                body=text,
                from_=self._settings.from_number or values.unset,
                messaging_service_sid=self._settings.messaging_service_sid or values.unset,
                status_callback=callback or values.unset,
                validity_period=min(validity_s, VALIDITY_S_MAX),
            )
        except NotSent as error:
            return Postponed(error.reason, error.after_s)
        except Uncertain as error:
            return Unknown(error.reason, _ASK_AFTER_S)
        except TwilioException as error:
            return self._refused(error)
        except Exception:  # 2xx, but no message in it; the library stumbles over that in many ways
            return Unknown("bad_answer", _ASK_AFTER_S)
        return self._read(created) or Unknown("bad_answer", _ASK_AFTER_S)

    async def look_up(self, message: Message, address: str, called_by_ms: int) -> Outcome:
        """Find the SMS among the phone's latest by its short code.

        Not by date: a queued message has no `date_sent` yet, and Twilio's filter would leave it out.
        """
        asked_ms = self._now_ms()
        try:
            found, complete = await self._find(f"#{message.code}", address, called_by_ms)
        except NotSent as error:
            return Unknown(error.reason, error.after_s)
        except Uncertain as error:
            return Unknown(error.reason, _ASK_AFTER_S)
        except TwilioException:  # refused, as credentials are
            return Unknown("bad_answer", CREDENTIALS_RETRY_S)
        except Exception:
            return Unknown("bad_answer", _ASK_AFTER_S)
        if found is not None:
            return self._read(found) or Unknown("bad_answer", _ASK_AFTER_S)
        left_s = self._settings.lag_s - (asked_ms - called_by_ms) / 1000
        if left_s > 0 or not complete:
            return Unknown("not_listed", max(left_s, 1.0))
        return Postponed("never_accepted", 0.0)

    async def close(self) -> None:
        """Close the connections to Twilio."""
        await self._http.close()

    def _validity_s(self, message: Message) -> int:
        if message.purpose != "alert":
            return FOLLOW_UP_VALIDITY_S
        return (message.expires_at_ms - self._now_ms()) // 1000

    async def _find(self, token: str, address: str, called_by_ms: int) -> tuple[MessageInstance | None, bool]:
        """The message to `address` that carries `token`, and whether the list reached back to then."""
        listed = 0
        async for one in await self._messages.stream_async(
            to=address, limit=_LISTED_MAX, page_size=_PAGE_SIZE
        ):
            listed += 1
            if token in (one.body or "").split():
                return one, True
            created = one.date_created
            if created is not None and created.timestamp() * 1000 < called_by_ms - _CLOCKS_APART_MS_MAX:
                return None, True
        return None, listed < _LISTED_MAX

    def _read(self, one: MessageInstance) -> Outcome | None:
        """What Twilio's own word about a message says; a status that we do not know is that of one it has."""
        code = one.error_code if isinstance(one.error_code, int) else None
        if not isinstance(one.sid, str) or not one.sid:
            return None
        return status_outcome(str(one.status), code, one.sid) or Sent(one.sid)

    def _refused(self, error: TwilioException) -> Outcome:
        """The library has two kinds of refusals, old and RFC 9457, each with a status and a code."""
        status = getattr(error, "status", None)
        if not isinstance(status, int) or not 400 <= status < 500 or status == 408:
            return Unknown("bad_answer", _ASK_AFTER_S)
        code = getattr(error, "code", None)
        return refusal(status, code if isinstance(code, int) else None)
