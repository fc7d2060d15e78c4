"""The README's commands, run as they stand there: a key, a phone, an incident, the feed, its end."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PORT = 8017


def session_blocks() -> list[str]:
    """The shell blocks of the section "A session by hand", in order."""
    section = (
        (ROOT / "README.md").read_text("utf-8").partition("## A session by hand")[2].partition("\n## ")[0]
    )
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


@pytest.fixture
def here() -> Iterator[Path]:
    """The checkout, as a reader has it; the folder that the session makes is removed afterwards."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not on this machine")
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            pytest.skip(f"port {PORT}, which the README uses, is busy on this machine")
    if (ROOT / "try").exists():
        pytest.skip("the folder `try` exists: it is somebody's own session, remove it first")
    told = distribution("responder-alert-dispatch").read_text("direct_url.json") or "{}"
    if json.loads(told).get("url") != ROOT.as_uri():
        pytest.skip("this environment is another checkout's: `./dev` would make it this one's")
    yield ROOT
    shutil.rmtree(ROOT / "try", ignore_errors=True)


def begin(block: str, here: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["bash", "-c", block],
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=environment(),
    )


def end(child: "subprocess.Popen[str]") -> str:
    """Ctrl-C, for the terminal that has it."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGINT)
    try:
        return child.communicate(timeout=30)[0]
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        raise


def until_ready() -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=2) as answer:
                assert json.load(answer)["ready"]
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("the service did not become ready")


@pytest.mark.timeout(180)
def test_the_readmes_session_works_as_written(here: Path) -> None:
    serve, key, phone, *control_room = session_blocks()
    assert len(control_room) == 3
    service = begin(serve, here)
    try:
        until_ready()
        subprocess.run(["bash", "-euc", key], cwd=here, check=True, timeout=60, env=environment())
        device = begin(phone, here)
        time.sleep(1.0)  # her socket; were it later, the alert would come after its hello all the same
        told = subprocess.run(
            ["bash", "-euc", "\n".join(control_room)],
            cwd=here,
            check=True,
            timeout=60,
            capture_output=True,
            text=True,
            env=environment(),
        ).stdout
        frames = [json.loads(line) for line in device.communicate(timeout=30)[0].splitlines()]
    finally:
        output = end(service)
    assert [frame["type"] for frame in frames] == ["welcome", "alert", "answered", "stand_down"]
    assert frames[1]["incident"]["address"] == "O'Connell Street 1"
    incident, length = json.JSONDecoder().raw_decode(told)
    assert [alert["state"] for alert in incident["alerts"]] == ["accepted"]
    trail, _ = json.JSONDecoder().raw_decode(told[length:].lstrip())
    types = [event["type"] for event in trail["items"]]
    assert types[0] == "IncidentOpened"
    assert {"AlertDelivered", "AlertAnswered"} <= set(types)
    fed = re.findall(r"^event: (.*)$", told, re.MULTILINE)
    assert fed[: len(types)] == types, "the feed from its beginning is the audit trail"
    closed = json.loads(told[told.rindex('{"id":"' + incident["id"] + '",') :])
    assert (closed["state"], closed["alerts"][0]["state"]) == ("closed", "stood_down")
    assert "ready" in output
    assert service.returncode == 0


def environment() -> dict[str, str]:
    return {**os.environ, "DEV_VENV": sys.prefix}
