"""``dispatch keys``, while the service serves."""

import asyncio
import json

from tests.cli.conftest import Cli
from tests.http_client import http_client


async def test_a_key_is_printed_alone_and_once_and_refused_soon_after_it_is_revoked(cli: Cli) -> None:
    async with cli.serving() as served:
        made = await cli.run("keys", "create", "--control-room", "Utrecht", "--scopes", "incidents:read")
        assert (made.code, made.err) == (0, "")
        [secret] = made.out.splitlines()
        client = http_client(base_url=served.url, headers={"Authorization": f"Bearer {secret}"})
        async with client:
            assert (await client.get("/v1/incidents")).status_code == 200
            [listed] = json.loads((await cli.run("keys", "list", "--json")).out)
            assert (listed["control_room"], listed["scopes"]) == ("Utrecht", ["incidents:read"])
            assert secret not in json.dumps(listed)
            assert (await cli.run("keys", "revoke", listed["id"])).code == 0
            async with asyncio.timeout(5):
                while (await client.get("/v1/incidents")).status_code != 401:
                    await asyncio.sleep(0.1)
        again = await cli.ask("keys", "revoke", listed["id"])
        assert again.code == 1
        assert listed["id"] in again.err


async def test_two_keys_of_one_name_belong_to_one_control_room(cli: Cli) -> None:
    for scopes in ("incidents:read", "incidents:write,incidents:drill"):
        assert (await cli.ask("keys", "create", "--control-room", "U", "--scopes", scopes)).code == 0
    listed = json.loads((await cli.ask("keys", "list", "--json")).out)
    assert len({key["control_room_id"] for key in listed}) == 1
    lines = (await cli.ask("keys", "list")).out.splitlines()
    assert [line.split("\t")[2] for line in lines] == ["incidents:read", "incidents:drill,incidents:write"]


async def test_an_unknown_scope_is_wrong_use(cli: Cli) -> None:
    for scopes in ("incidents:everything", "", ","):
        done = await cli.ask("keys", "create", "--control-room", "U", "--scopes", scopes)
        assert (done.code, done.out) == (2, ""), scopes
        assert "incidents:write" in done.err
    assert json.loads((await cli.ask("keys", "list", "--json")).out) == []
