"""What Twilio posts to us: status callbacks and replies, whether it was Twilio that did, and our answer."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Literal

import msgspec
from twilio.request_validator import RequestValidator

from notify.channel import Outcome
from notify.opt_out import read_opt
from notify.twilio_results import status_outcome

_TEXT_CHARS_MAX = 1600  # Twilio's longest body


class Reply(msgspec.Struct, frozen=True):
    """An SMS from a phone. `opt`: by a keyword it blocked (`out`) or unblocked (`in`) our sender."""

    provider_id: str
    phone: str
    text: str
    opt: Literal["out", "in"] | None


def signed_by_twilio(auth_token: str, url: str, form: Mapping[str, str], signature: str | None) -> bool:
    """Does `X-Twilio-Signature` fit? `url` is the public one that Twilio was given, with its query."""
    if not signature or not signature.isascii():
        return False
    return bool(RequestValidator(auth_token).validate(url, dict(form), signature))


def read_status(form: Mapping[str, str]) -> Outcome | None:
    """What a status callback says became of its message; None for a status word that we do not know."""
    code = form.get("ErrorCode", "")
    error_code = int(code) if code.isascii() and code.isdecimal() and len(code) < 10 else None
    return status_outcome(form.get("MessageStatus", ""), error_code, form.get("MessageSid"))


def read_reply(form: Mapping[str, str]) -> Reply | None:
    """A reply; None when the form lacks what makes one."""
    provider_id, phone = form.get("MessageSid"), form.get("From")
    if not provider_id or not phone:
        return None
    text = form.get("Body", "")[:_TEXT_CHARS_MAX]
    advanced = {"STOP": "out", "START": "in"}.get(form.get("OptOutType", "").upper())
    opt: Literal["out", "in"] | None = read_opt(text)
    if advanced is not None:  # the sender's own keywords, of Advanced Opt-Out
        opt = "out" if advanced == "out" else "in"
    return Reply(provider_id, phone, text, opt)


def answer_to_reply(text: str | None) -> str:
    """The TwiML that answers a reply: with an SMS to her, or with none."""
    message = "" if text is None else f"<Message>{escape(text, quote=False)}</Message>"
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>'
