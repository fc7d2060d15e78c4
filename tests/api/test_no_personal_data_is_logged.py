"""Whatever happens, no phone, name, text, position, key or token comes into a log; an incident's id does."""

import io
import json
import logging
from typing import Any

import asyncpg
import pytest

from dispatch import logs
from tests.api.world import World, a_report

SECRETS = ["Anna de Vries", "+31612345678", "Domplein", "door code 1234", "hit his head", "52.0907", "5.1214"]


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


async def test_a_whole_life_leaves_no_personal_data(
    world_with_sms: World, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    world = world_with_sms
    room = await world.room()
    device = await world.medic_on_socket(phone="+31612345678", name="Anna de Vries")
    body = a_report(directions="door code 1234", details="hit his head")
    incident = (await room.post("/v1/incidents", json=body)).json()
    alert_id = (await device.alert())["alert_id"]
    await device.answer("accept", alert_id)
    await room.post("/v1/medics", json={"name": "Anna de Vries", "phone": "+31612345678"})
    await (await world.client()).post("/v1/enrolments", json={"phone": "+31612345678"})
    await room.post(f"/v1/incidents/{incident['id']}/close")
    monkeypatch.setattr("dispatch.service.dispatcher.Dispatcher.get", _breaks)
    assert (await room.get(f"/v1/incidents/{incident['id']}")).status_code == 500
    # Without the times: a second may have the digits of a longitude.
    whole = json.dumps([{**line, "at": ""} for line in lines(log)])
    assert '"failed"' in whole
    for secret in (*SECRETS, room.headers["Authorization"].split()[1]):
        assert secret not in whole, secret


async def _breaks(*_: Any) -> None:
    raise RuntimeError("Anna de Vries, +31612345678, hit his head at 52.0907, 5.1214")


def test_a_slip_is_struck_out(log: io.StringIO) -> None:
    logger = logs.logger("test")
    logger.info("asked", phone="+31612345678", name="Anna", lat=52.0907, details={"text": "hit his head"})
    logger.info("text to +31612345678 with dk_0123456789abcdef at 52.0907, 5.1214")
    logging.getLogger("library").warning("calling %s", "+31 6 1234 5678")
    whole = log.getvalue()
    for secret in (*SECRETS, "Anna", "dk_", "1234 5678"):
        assert secret not in whole, secret
    assert whole.count(logs.STRUCK) >= 6


def test_an_exception_is_told_by_its_class_and_place_alone(log: io.StringIO) -> None:
    error = asyncpg.UniqueViolationError("Key (phone)=(+31612345678) already exists: Anna de Vries")
    try:
        raise error
    except asyncpg.UniqueViolationError:
        logs.logger("test").exception("failed")
        logging.getLogger("library").exception("failed")
    for line in lines(log):
        assert line["error"].startswith("UniqueViolationError 23505")
        assert "test_no_personal_data_is_logged.py" in line["frames"][-1]
    assert "Anna" not in log.getvalue()


def test_every_line_about_an_incident_has_its_id(log: io.StringIO) -> None:
    with logs.about("01abc"):
        logs.logger("test").info("one")
        logging.getLogger("library").warning("two")
    logs.logger("test").info("three")
    assert [line.get("incident_id") for line in lines(log)] == ["01abc", "01abc", None]


def test_an_id_is_not_struck_out(log: io.StringIO) -> None:
    logs.logger("test").info("x", incident_id="01m86q26m071jqqa50s8j3zew2", late_ms=1795521504123)
    assert lines(log)[0]["incident_id"] == "01m86q26m071jqqa50s8j3zew2"
    assert lines(log)[0]["late_ms"] == 1795521504123
