"""Keys: none, a wrong one, a revoked one, and what each scope opens."""

import hashlib

import httpx

from dispatch.auth import Keyring, new_key, new_token, secret_hash
from dispatch.store.keys import GoodKey
from tests.api.world import World, a_report, everything


async def test_without_a_good_key_everything_is_401(world: World) -> None:
    device_token = await world.token(await world.medic())
    before = await everything(world.pool)
    for bearer in (None, "", "dk_wrong", new_key(), new_token(), device_token):
        client = await world.client(bearer)
        for method, path in (
            ("GET", "/v1/incidents"),
            ("POST", "/v1/incidents"),
            ("GET", "/v1/incidents/x"),
            ("PATCH", "/v1/incidents/x"),
            ("POST", "/v1/incidents/x/close"),
            ("GET", "/v1/incidents/x/events"),
            ("GET", "/v1/events"),
            ("GET", "/v1/medics"),
            ("POST", "/v1/medics"),
            ("PATCH", "/v1/medics/x"),
        ):
            answer = await client.request(method, path, json={} if method in ("POST", "PATCH") else None)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), (bearer, path)
            assert answer.headers["www-authenticate"] == "Bearer"
    assert await everything(world.pool) == before


async def test_the_scheme_must_be_bearer_in_any_case(world: World) -> None:
    secret = await world.key()
    client = await world.client()
    for scheme, status in (("bearer", 200), ("BEARER", 200), ("Basic", 401), ("", 401)):
        answer = await client.get("/v1/incidents", headers={"Authorization": f"{scheme} {secret}".strip()})
        assert answer.status_code == status, scheme


async def test_each_scope_opens_its_own_and_nothing_else(world: World) -> None:
    calls = {
        "incidents:write": ("POST", "/v1/incidents", a_report("write")),
        "incidents:drill": ("POST", "/v1/incidents", a_report("drill", drill=True)),
        "incidents:read": ("GET", "/v1/incidents", None),
        "medics:manage": ("GET", "/v1/medics", None),
    }
    for holds in calls:
        client = await world.room(f"Room of {holds}", (holds,))
        for needs, (method, path, body) in calls.items():
            answer = await client.request(method, path, json=body)
            if holds == needs:
                assert answer.status_code in (200, 201), (holds, needs)
            else:
                assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (holds, needs)


async def test_a_drills_key_changes_no_real_incident_and_a_real_ones_no_drill(world: World) -> None:
    real_key, drill_key = (
        await world.room("U", ("incidents:write",)),
        await world.room("U", ("incidents:drill",)),
    )
    real = (await real_key.post("/v1/incidents", json=a_report("1"))).json()["id"]
    drill = (await drill_key.post("/v1/incidents", json=a_report("2", drill=True))).json()["id"]
    assert (await drill_key.post(f"/v1/incidents/{real}/close")).status_code == 403
    assert (await real_key.post(f"/v1/incidents/{drill}/close")).status_code == 403
    assert (await drill_key.post(f"/v1/incidents/{drill}/close")).status_code == 200


async def test_only_the_hash_of_a_key_is_kept(world: World) -> None:
    secret = await world.key()
    kept = await world.pool.fetchval("select secret_hash from api_key")
    assert kept == hashlib.sha256(secret.encode()).digest()
    dump = str(await world.pool.fetch("select * from api_key"))
    assert secret not in dump


async def test_events_name_the_key_by_its_id(world: World, room: httpx.AsyncClient) -> None:
    incident = (await room.post("/v1/incidents", json=a_report())).json()
    events = (await room.get(f"/v1/incidents/{incident['id']}/events")).json()["items"]
    key_id = await world.pool.fetchval("select id from api_key")
    assert events[0]["by"] == {"kind": "control_room", "key": key_id}


async def test_a_revoked_key_is_refused_once_the_keys_have_been_read_again() -> None:
    now = [0.0]
    secret = new_key()
    key = GoodKey("k", "room", frozenset({"incidents:read"}))
    stored = {secret_hash(secret): key}

    async def find(known: bytes) -> GoodKey | None:
        return stored.get(known)

    keyring = Keyring(find, monotonic=lambda: now[0])
    keyring.put_all(stored)
    assert await keyring.key(secret) == key
    stored = {}
    keyring.put_all(stored)
    assert await keyring.key(secret) is None


async def test_a_revoked_key_is_refused_soon_even_where_keys_can_not_be_read_again() -> None:
    now = [0.0]
    secret = new_key()

    async def find(known: bytes) -> GoodKey | None:
        return None

    keyring = Keyring(find, monotonic=lambda: now[0])
    keyring.put_all({secret_hash(secret): GoodKey("k", "room", frozenset())})
    now[0] = 4.9
    assert await keyring.key(secret) is not None
    now[0] = 5.1
    assert await keyring.key(secret) is None
