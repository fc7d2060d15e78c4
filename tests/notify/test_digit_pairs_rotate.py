"""Two digits answer an alert; a late answer to an earlier one cannot be taken for this one."""

from __future__ import annotations

import pytest

from notify.digits import digit_pair, read_answer, read_digit


def test_pairs_rotate_and_share_no_digit() -> None:
    assert [digit_pair(nth) for nth in range(5)] == [
        ("1", "2"),
        ("3", "4"),
        ("5", "6"),
        ("7", "8"),
        ("1", "2"),
    ]


def test_a_late_answer_to_one_of_the_last_three_alerts_hits_none_other() -> None:
    for nth in range(8):
        accept, decline = digit_pair(nth)
        for later in (1, 2, 3):
            assert read_answer(accept, digit_pair(nth + later)) is None
            assert read_answer(decline, digit_pair(nth + later)) is None


@pytest.mark.parametrize("text", ["3", " 3 ", "3.", "(3)", "3!\n", "３", "3️⃣", "\u200e3"])
def test_the_digit_alone_is_an_accept(text: str) -> None:
    assert read_answer(text, ("3", "4")) == "accept"


def test_the_other_digit_is_a_decline() -> None:
    assert read_answer("4", ("3", "4")) == "decline"


@pytest.mark.parametrize(
    "text", ["", "34", "3 4", "33", "3 ja", "ja", "yes", "1", "half 3", "½", "STOP", "III", "٣"]
)
def test_anything_else_is_not_understood(text: str) -> None:
    assert read_answer(text, ("3", "4")) is None


def test_a_digit_is_read_whatever_alert_it_belongs_to() -> None:
    assert read_digit(" 7 ") == "7"
    assert [read_digit(text) for text in ("kom eraan", "12", "1 2", "")] == [None] * 4
