"""`dispatch demo --once --json` on real parts: the service, its Postgres, sockets and Twilio's library."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("demo")]

MEDICS = "600"


@contextmanager
def demo(*words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "dispatch", "demo", "--medics", MEDICS, "--port", "0", *words]
    environment = os.environ | {"TERM": "dumb"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:  # the test failed: let it end in order, then drain its pipes
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=60)


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Everything the demo started: the service, and Postgres below it."""
    return psutil.Process(process.pid).children(recursive=True)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    data_dir = str(tmp_path_factory.mktemp("demo"))
    with demo("--once", "--json", "--speed", "20", "--data-dir", data_dir) as process:
        printed, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    told: dict[str, Any] = json.loads(printed)
    return told


@pytest.fixture
def short_tmp() -> Iterator[Path]:
    """Pytest's own directories are too deep for a Unix socket below them."""
    with tempfile.TemporaryDirectory(prefix="d-") as folder:
        yield Path(folder)


def test_one_incident_with_its_alerts_in_order_of_eta(shown):
    assert shown["incident"]["state"] == "closed"
    assert len(shown["alerts"]) >= 5
    etas = [alert["eta_s"] for alert in shown["alerts"]]
    assert etas == sorted(etas)


def test_it_is_covered_and_the_others_are_stood_down(shown):
    stood_down = [alert for alert in shown["alerts"] if alert["stand_down"]]
    assert shown["timings"]["covered_ms"] is not None
    assert any(alert["stand_down"]["reason"] == "covered" for alert in stood_down)
    assert any(alert["stand_down"]["received_ms"] is not None for alert in stood_down)


def test_who_answered_has_a_delivery_and_an_answer_in_order(shown):
    answered = [alert for alert in shown["alerts"] if alert["answer"] is not None]
    assert {"accept", "decline"} <= {alert["answer"] for alert in answered}
    for alert in answered:
        assert alert["requested_ms"] <= alert["received_ms"] <= alert["answered_ms"]
        assert alert["requested_ms"] <= alert["delivered_ms"] <= alert["answered_ms"]


def test_an_sms_went_out_and_arrived(shown):
    by_sms = [alert for alert in shown["alerts"] if "sms" in alert["channels"]]
    assert shown["sms_sent"] >= len(by_sms) >= 1
    assert any(alert["delivered_ms"] is not None for alert in by_sms)


def test_it_names_its_source_and_what_is_made_up(shown):
    assert "16,915 real road collisions" in shown["source"]["from"]
    assert "made up" in shown["medics"]["note"]
    assert shown["medics"]["registered"] == int(MEDICS)
    assert shown["medics"]["on_sockets"] + shown["medics"]["sms_only"] == int(MEDICS)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP], ids=["ctrl-c", "terminal closed"])
def test_a_stop_leaves_no_process_and_no_directory(short_tmp, monkeypatch, how):
    monkeypatch.setenv("TMPDIR", str(short_tmp))
    with demo() as process:
        said = _read_until(process, lambda line: "is alerted" in line)
        started = family(process)
        assert len(started) >= 2, said
        process.send_signal(how)
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    assert "the service, Postgres and the medics are gone" in rest
    assert [one for one in started if one.is_running()] == []
    assert list(short_tmp.glob("dispatch-demo-*")) == []


def test_a_busy_port_is_one_line_and_wrong_use():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with demo("--once", "--port", str(taken.getsockname()[1])) as process:
            _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert len(said.splitlines()) == 1
    assert "--port" in said


def _read_until(process: subprocess.Popen[str], wanted: Callable[[str], bool]) -> list[str]:
    """Lines of its stderr up to the wanted one; the test's time limit bounds the wait."""
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if wanted(line):
            break
    return lines
