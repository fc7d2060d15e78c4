"""Whatever the control room wrote, the SMS is one GSM-7 segment and its link stands whole.

Segments are counted by the double's own counter, not by the code under test.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notify.gsm7 import septets, shorten, to_gsm7
from notify.message import Message, Position
from notify.texts import map_link, refusal_text, sms_text
from simulations.twilio_double.segments import count_segments

KINDS = ["cardiac_arrest", "unconscious", "choking", "traffic_accident", "trauma", "other"]
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

free_text = st.none() | st.text(max_size=400) | st.text("ëéǿ€{}~^ |漢😀\x00\n\u2028`", max_size=200)
messages = st.builds(
    Message,
    message_id=st.text("abc123-_", min_size=1, max_size=40),
    alert_id=st.just("a-1"),
    purpose=st.sampled_from(["alert", "update", "stand_down"]),
    incident_id=st.just("i-1"),
    kind=st.sampled_from(KINDS) | st.text(max_size=60),
    position=st.builds(Position, lat=st.floats(-90, 90), lon=st.floats(-180, 180)),
    address=free_text,
    directions=free_text,
    drill=st.booleans(),
    role=st.just("direct"),
    instruction=st.sampled_from(["go", "wait"]),
    distance_m=st.integers(0, 20_040_000),
    eta_s=st.integers(0, 10_000_000),
    travel=st.just("estimate"),
    expires_at_ms=st.just(0),
    language=st.sampled_from(["nl", "en"]),
    reason=st.none() | st.sampled_from(REASONS) | st.text(max_size=40),
    digits=st.none() | st.sampled_from([("1", "2"), ("7", "8")]),
)


@given(messages)
@settings(max_examples=500, deadline=None)
def test_any_message_is_one_segment(message: Message) -> None:
    text = sms_text(message)
    assert count_segments(text) == 1
    assert f"#{message.code}" in text.split()
    if message.purpose != "stand_down":
        assert map_link(message.position) in text.split()
    if message.drill:
        assert text.startswith(("OEFENING ", "DRILL "))


@given(messages, st.sampled_from(["covered", "ended", "held", "engaged", "new"]))
@settings(max_examples=200, deadline=None)
def test_any_refusal_is_one_segment_without_a_code(message: Message, code: str) -> None:
    text = refusal_text(message, code)
    assert count_segments(text) == 1
    assert f"#{message.code}" not in text


@given(messages.filter(lambda message: message.purpose != "stand_down"))
@settings(max_examples=200, deadline=None)
def test_any_alert_shows_how_to_answer_or_says_wait(message: Message) -> None:
    text = sms_text(message)
    if message.instruction == "wait":
        assert ("WACHT, ga nog niet." if message.language == "nl" else "WAIT, do not go yet.") in text
    elif message.digits is not None:
        assert f" {message.digits[0]}=" in text
        assert f" {message.digits[1]}=" in text


@given(st.text())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_becomes_one_line_of_gsm7(text: str) -> None:
    plain = to_gsm7(text)
    assert septets(plain) >= len(plain)
    assert to_gsm7(plain) == plain
    assert "\n" not in plain


def test_gsm7_keeps_its_own_accents_and_transliterates_the_rest() -> None:
    assert (
        to_gsm7("Café Zoë, Curaçao, Łódź, Straße, „Ĳ“ — `5`")
        == "Café Zoe, Curacao, Lodz, Straße, \"IJ\" - '5'"
    )
    assert to_gsm7("e\u0301e\u0300n") == "éèn"


def test_an_address_is_cut_between_words_never_within_a_house_number(another: Callable[..., Message]) -> None:
    assert shorten("Kerkstraat 128, Utrecht", 22) == "Kerkstraat 128.."
    assert shorten("Kerkstraat 128, Utrecht", 15) == "Kerkstraat.."
    assert shorten("Kerkstraat 128, Utrecht", 9) == ""
    text = sms_text(another(address="Burgemeester Jonkheer van Lennepweg 1234, Nieuwerkerk aan den IJssel"))
    assert "Burgemeester Jonkheer van Lennepweg 1234" in text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "nl",
            "Reanimatie: Oudegracht 128, Utrecht; tweede deur, 350 m. "
            "https://maps.google.com/?q=52.09073,5.12142 Antwoord 1=ik ga 2=kan niet #",
        ),
        (
            "en",
            "Cardiac arrest: Oudegracht 128, Utrecht; tweede deur, 350 m. "
            "https://maps.google.com/?q=52.09073,5.12142 Reply 1=going 2=cannot #",
        ),
    ],
)
def test_an_alert_says_what_where_how_far_and_how_to_answer(
    message: Message, language: str, text: str
) -> None:
    said = sms_text(msgspec.structs.replace(message, language=language))
    assert said == text + message.code


def test_a_stand_down_is_kind_and_says_which_call(another: Callable[..., Message]) -> None:
    covered = another(purpose="stand_down", reason="covered", drill=True)
    assert sms_text(covered) == (
        "OEFENING Reanimatie (Oudegracht 128, Utrecht): je hoeft niet te komen. "
        f"Er zijn genoeg hulpverleners. Dank je wel! #{covered.code}"
    )
    unheard_of = another(purpose="stand_down", reason="eclipse", language="en", address=None)
    assert sms_text(unheard_of) == f"Cardiac arrest: you are no longer needed. Thank you! #{unheard_of.code}"


def test_an_update_that_says_wait_offers_no_answer(another: Callable[..., Message]) -> None:
    text = sms_text(another(purpose="update", instruction="wait"))
    assert text.startswith("Update Reanimatie: ")
    assert "WACHT, ga nog niet." in text
    assert "1=" not in text


def test_far_is_in_kilometres_with_the_languages_own_point(another: Callable[..., Message]) -> None:
    assert ", 1,4 km." in sms_text(another(distance_m=1_432))
    assert ", 1.4 km." in sms_text(another(distance_m=1_432, language="en"))
    assert ", 990 m." in sms_text(another(distance_m=994))
    assert ", 1,0 km." in sms_text(another(distance_m=995))


def test_a_kind_only_the_policy_knows_goes_by_its_name(another: Callable[..., Message]) -> None:
    assert sms_text(another(kind="water_rescue")).startswith("Water rescue: ")
