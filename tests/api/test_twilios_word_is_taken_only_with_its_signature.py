"""Twilio's webhooks: signed ones do what they say, forged, altered and replayed ones nothing."""

import asyncio
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx
import pytest

from simulations.twilio_double.double import ACCOUNT_SID, AUTH_TOKEN, NUMBER
from simulations.twilio_double.signature import sign
from tests.api.world import World, a_report, everything


async def until(world: World, room: httpx.AsyncClient, incident_id: str, state: str) -> dict[str, Any]:
    """The incident's only alert, once it is in this state."""
    async with asyncio.timeout(5):
        while True:
            alert = (await room.get(f"/v1/incidents/{incident_id}")).json()["alerts"][0]
            if alert["state"] == state:
                return dict(alert)
            await asyncio.sleep(0.02)


async def post(
    world: World, path: str, form: dict[str, str], *, signature: str | None = None, token: str = AUTH_TOKEN
) -> httpx.Response:
    client = await world.client()
    signed = sign(token, world.url + path, form) if signature is None else signature
    headers = {b"X-Twilio-Signature": signed.encode()} if signed else {}
    return await client.post(path, data=form, headers=headers)


@pytest.fixture
async def room(world_with_sms: World) -> httpx.AsyncClient:
    return await world_with_sms.room()


@pytest.fixture
async def asked(world_with_sms: World, room: httpx.AsyncClient) -> tuple[str, str]:
    """An incident whose only medic was asked by SMS, and her phone."""
    phone = await world_with_sms.phone(await world_with_sms.medic())
    incident = (await room.post("/v1/incidents", json=a_report())).json()
    await until(world_with_sms, room, incident["id"], "delivered")
    return incident["id"], phone


async def test_an_sms_is_delivered_by_callback_and_answered_by_its_digits(
    world_with_sms: World, room: httpx.AsyncClient, asked: tuple[str, str]
) -> None:
    incident_id, phone = asked
    assert world_with_sms.twilio is not None
    text = world_with_sms.twilio.phone(phone).inbox[-1].body
    assert "Domplein 1" in text
    assert await world_with_sms.twilio.phone(phone).reply("1") == 200
    alert = await until(world_with_sms, room, incident_id, "accepted")
    assert alert["channel"] == "sms"


async def test_a_text_that_answers_nothing_is_told_in_the_feed(
    world_with_sms: World, room: httpx.AsyncClient, asked: tuple[str, str]
) -> None:
    incident_id, phone = asked
    assert world_with_sms.twilio is not None
    await world_with_sms.twilio.phone(phone).reply("who is this?")
    assert "TextNotUnderstood" in await world_with_sms.events(room, incident_id)


async def test_a_forged_or_altered_post_is_403_and_changes_nothing(
    world_with_sms: World, room: httpx.AsyncClient, asked: tuple[str, str]
) -> None:
    incident_id, phone = asked
    reply = {"MessageSid": "SM1", "From": phone, "To": NUMBER, "Body": "1", "AccountSid": ACCOUNT_SID}
    status = {"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "30005"}
    status_path = f"/v1/twilio/status?notification={incident_id}-1-1"
    before = await everything(world_with_sms.pool)
    for path, form in (("/v1/twilio/sms", reply), (status_path, status)):
        good = sign(AUTH_TOKEN, world_with_sms.url + path, form)
        answers = [
            await post(world_with_sms, path, form, signature=""),
            await post(world_with_sms, path, form, signature="bm9uc2Vuc2U="),
            await post(world_with_sms, path, form, signature="\u00e9"),
            await post(world_with_sms, path, form, token="another token"),
            await post(world_with_sms, path, {**form, "Extra": "1"}, signature=good),
            await post(world_with_sms, path + ("&x=1" if "?" in path else "?x=1"), form, signature=good),
        ]
        assert {(one.status_code, one.json()["code"]) for one in answers} == {(403, "forbidden")}, path
    assert await everything(world_with_sms.pool) == before


async def test_a_reply_that_comes_again_counts_once(
    world_with_sms: World, room: httpx.AsyncClient, asked: tuple[str, str]
) -> None:
    incident_id, phone = asked
    form = {"MessageSid": "SM7", "From": phone, "To": NUMBER, "Body": "1", "AccountSid": ACCOUNT_SID}
    first = await post(world_with_sms, "/v1/twilio/sms", form)
    assert (first.status_code, first.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert first.text == '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
    await until(world_with_sms, room, incident_id, "accepted")
    before = await everything(world_with_sms.pool)
    assert (await post(world_with_sms, "/v1/twilio/sms", form)).status_code == 200
    assert await everything(world_with_sms.pool) == before


async def test_who_comes_and_is_not_to_is_told_in_the_answer(
    world_with_sms: World, room: httpx.AsyncClient, asked: tuple[str, str]
) -> None:
    incident_id, phone = asked
    await room.patch(f"/v1/incidents/{incident_id}", json={"address": "A < B & C"})
    assert (await room.post(f"/v1/incidents/{incident_id}/cancel")).status_code == 200
    form = {"MessageSid": "SM8", "From": phone, "To": NUMBER, "Body": "1", "AccountSid": ACCOUNT_SID}
    answer = await post(world_with_sms, "/v1/twilio/sms", form)
    (message,) = ElementTree.fromstring(answer.text)
    assert message.text is not None
    assert "(A < B & C): je hoeft niet te komen. Deze oproep is voorbij." in message.text
    again = await post(world_with_sms, "/v1/twilio/sms", form)
    assert "Message" not in again.text, "told twice"


async def test_a_status_that_comes_again_or_late_changes_nothing(
    world_with_sms: World, room: httpx.AsyncClient, asked: tuple[str, str]
) -> None:
    incident_id, _ = asked
    rows = await world_with_sms.pool.fetch("select n, k from notification where channel = 'sms'")
    before = await everything(world_with_sms.pool)
    path = f"/v1/twilio/status?notification={incident_id}-{rows[0]['n']}-{rows[0]['k']}"
    for word in ("delivered", "sent", "queued", "delivered", "unheard-of"):
        form = {"MessageSid": "SM1", "MessageStatus": word, "AccountSid": ACCOUNT_SID}
        assert (await post(world_with_sms, path, form)).status_code == 204
    assert await everything(world_with_sms.pool) == before


async def test_a_status_of_what_is_not_known_is_taken_and_changes_nothing(world_with_sms: World) -> None:
    before = await everything(world_with_sms.pool)
    for query in ("", "?notification=", "?notification=nothere-1-1", "?notification=" + "x" * 50):
        form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
        assert (await post(world_with_sms, f"/v1/twilio/status{query}", form)).status_code == 204
    assert await everything(world_with_sms.pool) == before


async def test_a_text_of_a_stranger_is_taken_and_changes_no_incident(
    world_with_sms: World, room: httpx.AsyncClient, asked: tuple[str, str]
) -> None:
    incident_id, _ = asked
    events = await world_with_sms.events(room, incident_id)
    form = {"MessageSid": "SM8", "From": "+31699999999", "To": NUMBER, "Body": "1"}
    assert (await post(world_with_sms, "/v1/twilio/sms", form)).status_code == 200
    assert await world_with_sms.events(room, incident_id) == events


async def test_a_form_that_can_not_be_read_is_malformed(world_with_sms: World) -> None:
    client = await world_with_sms.client()
    for body in (b"From=%ff", b"From=a&From=b", b"From=%00", b"\xff", urlencode({"a": "b"}).encode() * 200):
        answer = await client.post("/v1/twilio/sms", content=body)
        assert (answer.status_code, answer.json()["code"]) in ((400, "malformed"), (403, "forbidden")), body


async def test_without_twilio_every_post_is_403(world: World) -> None:
    form = {"MessageSid": "SM1", "From": "+31612345678", "Body": "1"}
    for path in ("/v1/twilio/sms", "/v1/twilio/status?notification=x"):
        assert (await post(world, path, form)).status_code == 403


@pytest.mark.parametrize("word", ["yes", "Cancel", "STOP"])
async def test_a_word_that_the_carrier_acts_on_is_told_in_the_feed_too(
    world_with_sms: World, room: httpx.AsyncClient, asked: tuple[str, str], word: str
) -> None:
    """Who writes it to an alert may mean that she comes, or can not: the control room is to know."""
    incident_id, phone = asked
    assert world_with_sms.twilio is not None
    await world_with_sms.twilio.phone(phone).reply(word)
    assert (await world_with_sms.events(room, incident_id))[-1] == "TextNotUnderstood"


async def test_an_opt_out_blocks_sms_and_is_shown_to_medic_and_control_room(
    world_with_sms: World, room: httpx.AsyncClient, asked: tuple[str, str]
) -> None:
    incident_id, phone = asked
    assert world_with_sms.twilio is not None
    await world_with_sms.twilio.phone(phone).reply("STOP")
    medic_id = (await room.get(f"/v1/incidents/{incident_id}")).json()["alerts"][0]["medic_id"]
    me = await world_with_sms.client(await world_with_sms.token(medic_id))
    async with asyncio.timeout(5):
        while (await me.get("/v1/me")).json()["blocked"] != ["sms"]:
            await asyncio.sleep(0.02)
    assert (await room.get(f"/v1/medics/{medic_id}")).json()["blocked"] == ["sms"]
    await me.patch("/v1/me", json={"channels": ["websocket", "sms"]})
    assert (await me.get("/v1/me")).json()["blocked"] == []
