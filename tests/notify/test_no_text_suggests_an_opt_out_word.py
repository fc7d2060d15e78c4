"""No text of ours holds a word that blocks the sender when a phone sends it back."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

from notify.message import Message
from notify.opt_out import OPT_OUT, read_opt
from notify.texts import enrolment_text, refusal_text, sms_text
from simulations.twilio_double.phones import OPT_IN_WORDS, OPT_OUT_WORDS

KINDS = ["cardiac_arrest", "unconscious", "choking", "traffic_accident", "trauma", "other", "flood"]
REASONS = [
    "covered",
    "cancelled",
    "closed",
    "changed",
    "moved",
    "unsafe",
    "ambulance",
    "suspended",
    "engaged",
]
REFUSALS = ["covered", "ended", "held", "engaged", "new"]
# Words that a reader may take for an invitation, though no carrier acts on them.
SUGGESTIVE = {"STOPPED", "CANCELLED", "CANCELED", "GEANNULEERD", "GESTOPT", "EINDE", "OPT", "HELP", "INFO"}


def test_no_kind_language_purpose_or_reason_gives_one(another: Callable[..., Message]) -> None:
    for kind, language, purpose, instruction, drill in itertools.product(
        KINDS, ["nl", "en"], ["alert", "update", "stand_down"], ["go", "wait"], [True, False]
    ):
        for reason in [*REASONS, "new", None] if purpose == "stand_down" else [None]:
            text = sms_text(
                another(
                    kind=kind,
                    language=language,
                    purpose=purpose,
                    instruction=instruction,
                    drill=drill,
                    reason=reason,
                    address=None,
                    directions=None,
                )
            )
            assert not words(text) & (OPT_OUT | SUGGESTIVE), text


def test_nor_does_a_refusal(another: Callable[..., Message]) -> None:
    for kind, language, code in itertools.product(KINDS, ["nl", "en"], REFUSALS):
        text = refusal_text(another(kind=kind, language=language, address=None), code)
        assert not words(text) & (OPT_OUT | SUGGESTIVE), text


def test_nor_does_the_enrolment_code() -> None:
    for language in ("nl", "en"):
        assert "123456" in enrolment_text("123456", language)
        assert not words(enrolment_text("123456", language)) & (OPT_OUT | SUGGESTIVE)


def test_a_short_code_spells_no_word(another: Callable[..., Message]) -> None:
    for number in range(500):
        assert re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{6}", another(message_id=f"n-{number}").code)


def test_keywords_are_read_as_twilio_reads_them() -> None:
    assert {word for word in OPT_OUT_WORDS if read_opt(word.lower()) == "out"} == OPT_OUT_WORDS
    assert {word for word in OPT_IN_WORDS if read_opt(f" {word}\n") == "in"} == OPT_IN_WORDS
    assert read_opt("please stop") is None
    assert read_opt("1") is None


def words(text: str) -> set[str]:
    return set(re.findall(r"[A-Z]+", text.upper()))
