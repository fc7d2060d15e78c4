"""What an SMS says: one GSM-7 segment, in Dutch or English.

Everything but the place is of known length; the place takes what is left and is cut between words. The link
always stands whole, so that a medic finds the way even where no address fits.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from notify.gsm7 import SEGMENT_SEPTETS, septets, shorten, to_gsm7
from notify.message import Language, Message, Position

_KIND_SEPTETS_MAX = 24
_UPDATE = "Update"


class Wording(msgspec.Struct, frozen=True):
    """One language's words; names in braces are filled in."""

    drill: str
    kinds: Mapping[str, str]
    wait: str
    answer: str
    not_needed: str
    reasons: Mapping[str, str]
    refusals: Mapping[str, str]
    thanks: str
    decimal_point: str
    enrolment: str


_WORDINGS: Mapping[Language, Wording] = {
    "nl": Wording(
        drill="OEFENING",
        kinds={
            "cardiac_arrest": "Reanimatie",
            "unconscious": "Bewusteloos persoon",
            "choking": "Verslikking",
            "traffic_accident": "Verkeersongeval",
            "trauma": "Ernstig letsel",
            "other": "Medisch noodgeval",
        },
        wait="WACHT, ga nog niet. Nader bericht volgt.",
        answer="Antwoord {accept}=ik ga {decline}=kan niet",
        not_needed="je hoeft niet te komen.",
        reasons={
            "covered": "Er zijn genoeg hulpverleners.",
            "cancelled": "De oproep is ingetrokken.",
            "closed": "De hulpverlening is afgerond.",
            "changed": "De melding is gewijzigd.",
            "moved": "De plek is gewijzigd.",
            "unsafe": "Blijf weg: het is er niet veilig.",
            "ambulance": "De ambulance is er.",
            "engaged": "Je andere oproep gaat voor.",
        },
        refusals={
            "ended": "Deze oproep is voorbij.",
            "held": "Ga er nu niet heen.",
            "engaged": "Je andere oproep gaat voor.",
            "covered": "Er zijn genoeg hulpverleners.",
        },
        thanks="Dank je wel!",
        decimal_point=",",
        enrolment="Je code is {code}, 10 minuten geldig. Geef hem aan niemand.",
    ),
    "en": Wording(
        drill="DRILL",
        kinds={
            "cardiac_arrest": "Cardiac arrest",
            "unconscious": "Unconscious person",
            "choking": "Choking",
            "traffic_accident": "Traffic accident",
            "trauma": "Serious injury",
            "other": "Medical emergency",
        },
        wait="WAIT, do not go yet. More will follow.",
        answer="Reply {accept}=going {decline}=cannot",
        not_needed="you are no longer needed.",
        reasons={
            "covered": "Enough responders are on their way.",
            "cancelled": "The call was withdrawn.",
            "closed": "The incident is over.",
            "changed": "The call has changed.",
            "moved": "The place has changed.",
            "unsafe": "Stay away: it is not safe there.",
            "ambulance": "The ambulance is there.",
            "engaged": "Your other call comes first.",
        },
        refusals={
            "ended": "This call is over.",
            "held": "Do not go there now.",
            "engaged": "Your other call comes first.",
            "covered": "Enough responders are on their way.",
        },
        thanks="Thank you!",
        decimal_point=".",
        enrolment="Your code is {code}, valid for 10 minutes. Give it to nobody.",
    ),
}


def sms_text(message: Message) -> str:
    """The SMS of an alert, an update or a stand-down: at most 160 septets of GSM-7."""
    words = _WORDINGS[message.language]
    if message.purpose == "stand_down":
        return _not_needed(message, words, words.reasons.get(message.reason or "", ""), _tag(message))
    return _call(message, words)


def refusal_text(message: Message, code: str) -> str:
    """What she gets back who said that she is coming, and is not to: as a stand-down, with why in words.

    `message` is the alert that she answered. Its short code is left out: by that a notification that was
    sent is found again at the provider, and this is none.
    """
    words = _WORDINGS[message.language]
    return _not_needed(message, words, words.refusals.get(code, ""))


def enrolment_text(code: str, language: Language) -> str:
    """The SMS that carries an enrolment code."""
    return _WORDINGS[language].enrolment.format(code=code)


def map_link(position: Position) -> str:
    """A link that opens any phone's map; five decimals are a metre."""
    return f"https://maps.google.com/?q={position.lat:.5f},{position.lon:.5f}"


def _call(message: Message, words: Wording) -> str:
    wait = message.instruction == "wait"
    after = [_distance(message.distance_m, words) + "."]
    if wait:
        after.append(words.wait)
    after.append(map_link(message.position))
    if message.digits is not None and not wait:
        after.append(words.answer.format(accept=message.digits[0], decline=message.digits[1]))
    update = _UPDATE if message.purpose == "update" else ""
    place = "; ".join(part for part in (message.address, message.directions) if part)
    return _fitted(f"{_head(message, words, update)}: ", place, ", ", _join(*after, _tag(message)))


def _not_needed(message: Message, words: Wording, why: str, tag: str = "") -> str:
    tail = _join(words.not_needed, why, words.thanks, tag)
    return _fitted(f"{_head(message, words)} (", message.address or "", "): ", tail)


def _fitted(head: str, place: str, joint: str, tail: str) -> str:
    """The parts in a row, the place as long as it may be; left out where none of it fits."""
    left = SEGMENT_SEPTETS - septets(head + joint + tail)
    fitting = shorten(to_gsm7(place), left)
    return head + fitting + joint + tail if fitting else f"{head.rstrip(' (:')}: {tail}"


def _head(message: Message, words: Wording, mark: str = "") -> str:
    return _join(words.drill if message.drill else "", mark, _kind(message.kind, words))


def _kind(kind: str, words: Wording) -> str:
    """A kind in words; one that only the deployment's policy knows goes by its own name."""
    known = words.kinds.get(kind)
    if known is not None:
        return known
    name = to_gsm7(kind[:1].upper() + kind[1:].replace("_", " "))
    return _cut(name, _KIND_SEPTETS_MAX) or words.kinds["other"]


def _cut(text: str, septets_max: int) -> str:
    while septets(text) > septets_max:
        text = text[:-1]
    return text.rstrip()


def _distance(distance_m: int, words: Wording) -> str:
    if distance_m < 995:
        return f"{round(distance_m, -1)} m"
    return f"{distance_m / 1000:.1f} km".replace(".", words.decimal_point)


def _tag(message: Message) -> str:
    return f"#{message.code}"


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)
