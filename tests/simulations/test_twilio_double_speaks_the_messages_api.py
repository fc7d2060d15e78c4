"""The double against Twilio's documentation, over plain HTTP: what goes in, what comes out, word for word."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulations.twilio_double import Text, TwilioDouble
from simulations.twilio_double.segments import count_segments

PHONE = "+31612345678"
EPOCH_S = 1_764_000_000


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioDouble]:
    async with TwilioDouble(epoch_s=EPOCH_S) as double:
        yield double


@pytest.fixture
async def api(twilio: TwilioDouble) -> AsyncIterator[aiohttp.ClientSession]:
    credentials = aiohttp.encode_basic_auth(twilio.account_sid, twilio.auth_token)
    async with aiohttp.ClientSession(
        twilio.url, headers={"Authorization": credentials}, timeout=aiohttp.ClientTimeout(total=10)
    ) as session:
        yield session


def messages_path(twilio: TwilioDouble) -> str:
    return f"/2010-04-01/Accounts/{twilio.account_sid}/Messages.json"


async def create(
    api: aiohttp.ClientSession, twilio: TwilioDouble, **fields: str
) -> tuple[int, dict[str, Any]]:
    form = {"To": PHONE, "From": twilio.number, "Body": "hallo"} | fields
    given = {name: value for name, value in form.items() if value}
    async with api.post(messages_path(twilio), data=given) as answer:
        return answer.status, await answer.json()


async def get(api: aiohttp.ClientSession, path: str, **query: str) -> tuple[int, dict[str, Any]]:
    async with api.get(path, params=query) as answer:
        return answer.status, await answer.json()


async def test_a_created_message_is_answered_with_its_resource(
    twilio: TwilioDouble, api: aiohttp.ClientSession
) -> None:
    status, resource = await create(api, twilio)
    assert status == 201
    assert re.fullmatch("SM[0-9a-f]{32}", resource["sid"])
    assert resource["status"] == "queued"
    assert resource["date_created"] == "Mon, 24 Nov 2025 16:00:00 +0000"
    assert resource["date_sent"] is None
    assert (resource["to"], resource["from"], resource["body"]) == (PHONE, twilio.number, "hallo")
    assert (resource["num_segments"], resource["direction"]) == ("1", "outbound-api")
    assert (await get(api, resource["uri"]))[1]["sid"] == resource["sid"]


async def test_a_services_message_has_no_sender_at_first(
    twilio: TwilioDouble, api: aiohttp.ClientSession
) -> None:
    twilio.queue_s = 1.0
    _, resource = await create(api, twilio, From="", MessagingServiceSid=twilio.service_sid)
    assert (resource["status"], resource["from"], resource["num_segments"]) == ("accepted", None, "0")
    await twilio.advance(1.0)
    _, resource = await get(api, resource["uri"])
    assert (resource["status"], resource["from"], resource["num_segments"]) == (
        "delivered",
        twilio.number,
        "1",
    )


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"To": ""}, 400, 21604),
        ({"To": "0612345678"}, 400, 21211),
        ({"To": "+0612345678"}, 400, 21211),
        ({"From": ""}, 400, 21603),
        ({"From": "+15005550001"}, 400, 21606),
        ({"MessagingServiceSid": "MG2"}, 404, 21701),
        ({"Body": ""}, 400, 21602),
        ({"Body": "x" * 1601}, 400, 21617),
        ({"StatusCallback": "ftp://alerts.example"}, 400, 21609),
        ({"StatusCallback": "/status"}, 400, 21609),
        ({"StatusCallback": "http://under_score.example/"}, 400, 21609),
        ({"ValidityPeriod": "0"}, 400, 90007),
        ({"ValidityPeriod": "36001"}, 400, 90007),
        ({"ValidityPeriod": "1.5"}, 400, 90007),
    ],
)
async def test_what_is_wrong_is_refused_with_twilios_code(
    twilio: TwilioDouble, api: aiohttp.ClientSession, fields: dict[str, str], status: int, code: int
) -> None:
    answered, body = await create(api, twilio, **fields)
    assert (answered, body["status"], body["code"]) == (status, status, code)
    assert body["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert body["message"]
    assert twilio.messages == []


@pytest.mark.parametrize("credentials", ["", "Basic x", "Bearer y"])
async def test_without_the_right_credentials_nothing_is_told(twilio: TwilioDouble, credentials: str) -> None:
    async with aiohttp.ClientSession(twilio.url, headers={"Authorization": credentials}) as stranger:
        for path in (messages_path(twilio), messages_path(twilio).replace(".json", "/SM1.json")):
            status, body = await get(stranger, path)
            assert (status, body["code"]) == (401, 20003)
        assert (await create(stranger, twilio))[0] == 401


async def test_another_accounts_messages_are_not_ours(
    twilio: TwilioDouble, api: aiohttp.ClientSession
) -> None:
    status, _ = await get(api, messages_path(twilio).replace(twilio.account_sid, "AC2"))
    assert status == 401


async def test_an_unknown_message_is_not_found(twilio: TwilioDouble, api: aiohttp.ClientSession) -> None:
    status, body = await get(api, messages_path(twilio).replace(".json", "/SM1.json"))
    assert (status, body["code"]) == (404, 20404)


async def test_lists_are_newest_first_in_pages_by_token(
    twilio: TwilioDouble, api: aiohttp.ClientSession
) -> None:
    for nth in range(5):
        await create(api, twilio, Body=str(nth))
    await create(api, twilio, To="+31600000000", Body="another's")
    bodies, path, query = [], messages_path(twilio), {"To": PHONE, "PageSize": "2"}
    while path:
        _, listed = await get(api, path, **query)
        bodies.append([message["body"] for message in listed["messages"]])
        path, query = listed["next_page_uri"], {}
    assert bodies == [["4", "3"], ["2", "1"], ["0"]]


async def test_a_date_filter_leaves_out_what_is_still_queued(
    twilio: TwilioDouble, api: aiohttp.ClientSession
) -> None:
    await create(api, twilio, Body="sent")
    await twilio.settle()
    twilio.queue_s = 60.0
    await create(api, twilio, Body="queued")

    async def bodies(**query: str) -> list[str]:
        return [one["body"] for one in (await get(api, messages_path(twilio), **query))[1]["messages"]]

    assert await bodies() == ["queued", "sent"]
    assert await bodies(DateSent="2025-11-24") == ["sent"]
    assert await bodies(**{"DateSent>": "2025-11-24T15:59:59Z"}) == ["sent"]
    assert await bodies(**{"DateSent>": "2025-11-25"}) == []
    assert await bodies(**{"DateSent<": "2025-11-24"}) == []


async def test_429_says_when_to_come_again(twilio: TwilioDouble, api: aiohttp.ClientSession) -> None:
    twilio.fail_next(429, retry_after_s=7)
    async with api.post(messages_path(twilio), data={}) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
        assert (await answer.json())["code"] == 20429
    assert (await create(api, twilio))[0] == 201


async def test_faults_come_in_order_and_can_be_healed(
    twilio: TwilioDouble, api: aiohttp.ClientSession
) -> None:
    twilio.fail_next(500, times=2)
    twilio.fail_next(503, accepted=True)
    twilio.fail_next(500, times=9)
    assert [(await create(api, twilio))[0] for _ in range(3)] == [500, 500, 503]
    assert len(twilio.messages) == 1
    twilio.heal()
    assert (await create(api, twilio))[0] == 201


async def test_sids_count_up(api: aiohttp.ClientSession, twilio: TwilioDouble) -> None:
    sids = [(await create(api, twilio))[1]["sid"] for _ in range(2)]
    assert sids == [f"SM{1:032x}", f"SM{2:032x}"]


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 0),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("€" * 80, 1),
        ("€" * 80 + "a", 2),
        ("a" * 306, 2),
        ("ë" * 70, 1),
        ("ë" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_segments_are_counted_as_carriers_do(text: str, segments: int) -> None:
    assert count_segments(text) == segments


async def test_a_simulated_medic_reacts_to_each_text(
    twilio: TwilioDouble, api: aiohttp.ClientSession
) -> None:
    heard: list[Text] = []
    seen: list[str] = []
    twilio.on_text = heard.append
    twilio.phone(PHONE).on_text = lambda text: seen.append(text.body)
    await create(api, twilio)
    await twilio.settle()
    assert seen == ["hallo"]
    assert heard == twilio.phone(PHONE).inbox


async def test_an_sms_nobody_expected_fails_the_test() -> None:
    async def unexpected() -> None:
        async with TwilioDouble(strict=True) as twilio:
            credentials = aiohttp.encode_basic_auth(twilio.account_sid, twilio.auth_token)
            async with aiohttp.ClientSession(twilio.url, headers={"Authorization": credentials}) as api:
                twilio.expect(PHONE, containing="hallo")
                await create(api, twilio)
                await create(api, twilio, Body="again")

    with pytest.raises(AssertionError, match=r"nobody expected an SMS to \+31612345678: 'again'"):
        await unexpected()


async def test_an_expected_sms_that_never_came_fails_it_too() -> None:
    async def missing() -> None:
        async with TwilioDouble(strict=True) as twilio:
            twilio.expect(PHONE, containing="hallo")

    with pytest.raises(AssertionError, match="no SMS to"):
        await missing()


async def test_a_medic_that_breaks_breaks_the_test() -> None:
    def broken(_: Text) -> None:
        raise ValueError("broken medic")

    async def run() -> None:
        async with TwilioDouble() as twilio:
            twilio.on_text = broken
            credentials = aiohttp.encode_basic_auth(twilio.account_sid, twilio.auth_token)
            async with aiohttp.ClientSession(twilio.url, headers={"Authorization": credentials}) as api:
                await create(api, twilio)
                await twilio.settle()

    with pytest.raises(ValueError, match="broken medic"):
        await run()


async def test_live_it_keeps_the_event_loops_time() -> None:
    arrived = asyncio.Event()
    async with TwilioDouble(live=True) as twilio:
        twilio.transit_s = 0.05
        twilio.on_text = lambda _: arrived.set()
        credentials = aiohttp.encode_basic_auth(twilio.account_sid, twilio.auth_token)
        async with aiohttp.ClientSession(twilio.url, headers={"Authorization": credentials}) as api:
            await create(api, twilio)
            await asyncio.wait_for(arrived.wait(), 5)


async def test_it_runs_as_a_process_of_its_own() -> None:
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulations.twilio_double", stdout=subprocess.PIPE, cwd=root
    )
    try:
        assert process.stdout is not None
        told = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        credentials = aiohttp.encode_basic_auth(told["account_sid"], "double-auth-token")
        form = {"To": PHONE, "From": told["number"], "Body": "hallo"}
        async with aiohttp.ClientSession(told["url"], headers={"Authorization": credentials}) as api:
            path = f"/2010-04-01/Accounts/{told['account_sid']}/Messages.json"
            async with api.post(path, data=form) as answer:
                assert answer.status == 201
            async with api.post("/double/reply", json={"phone": PHONE, "text": "1"}) as answer:
                assert await answer.json() == {"webhook_status": None}
            async with api.get("/double/inbox", params={"phone": PHONE}) as answer:
                assert [text["body"] for text in await answer.json()] == ["hallo"]
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 20) == 0
