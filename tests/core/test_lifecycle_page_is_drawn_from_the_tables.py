"""docs/lifecycles.md is what the tables say now; a stale page is told in one line."""

import sys
from pathlib import Path

import pytest

from dispatch.core.lifecycle import ALERT, ALERT_COLUMNS, INCIDENT, INCIDENT_COLUMNS
from docs import draw_lifecycles


def check(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["draw_lifecycles.py", "--check"])
    return draw_lifecycles.main()


def test_the_page_is_not_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(monkeypatch) == 0


def test_a_stale_page_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "lifecycles.md"
    stale.write_text(draw_lifecycles.page().replace("not_engaged", "engaged", 1), "utf-8")
    monkeypatch.setattr(draw_lifecycles, "PAGE", stale)
    assert check(monkeypatch) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_it_has_every_state_and_column() -> None:
    page = draw_lifecycles.page()
    for word in (*ALERT, *INCIDENT, *ALERT_COLUMNS, *INCIDENT_COLUMNS):
        assert word in page
