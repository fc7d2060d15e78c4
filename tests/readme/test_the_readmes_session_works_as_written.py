"""The README's commands, run as they stand there: a key, a phone, an incident, the feed, its end."""

import json
import re
import time

import pytest

from tests.readme.session import blocks_of, checkout, run, terminal, until_ready

PORT = 8017


@pytest.mark.timeout(180)
def test_the_readmes_session_works_as_written() -> None:
    serve, key, phone, *control_room = blocks_of("A session by hand")
    assert len(control_room) == 3
    with checkout("try", PORT), terminal(serve) as service:
        until_ready(PORT)
        run(key)
        with terminal(phone) as device:
            time.sleep(1.0)  # her socket; were it later, the alert would come after its hello all the same
            told = run("\n".join(control_room))
            frames = [json.loads(line) for line in device.rest(30).splitlines()]
        output, code = service.end()
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
    assert code == 0
