"""API keys, device tokens, and SMS that came in."""

import asyncio

from made import AT, a_medic

from dispatch import auth
from dispatch.store import inbound, keys, medics, tokens


async def test_a_key_is_good_until_revoked(db):
    room = await keys.ensure_control_room(db, "Utrecht")
    assert await keys.ensure_control_room(db, "Utrecht") == room
    key_id = await keys.create(
        db, room, secret_hash=b"k", scopes=["incidents:write", "incidents:read"], at=AT
    )
    good = keys.GoodKey(key_id, room, frozenset({"incidents:read", "incidents:write"}))
    assert await keys.find(db, b"k") == good
    assert await keys.good(db) == {b"k": good}
    assert await keys.find(db, b"other") is None
    assert await keys.revoke(db, key_id, at=AT + 1)
    assert not await keys.revoke(db, key_id, at=AT + 2)
    assert await keys.find(db, b"k") is None
    assert await keys.good(db) == {}
    assert [(key.control_room, key.scopes, key.revoked_at) for key in await keys.list_all(db)] == [
        ("Utrecht", ("incidents:read", "incidents:write"), AT + 1)
    ]


async def test_a_token_opens_until_all_are_revoked(db):
    await medics.create(db, [a_medic("anna"), a_medic("bob")])
    for secret_hash, medic_id in ((b"1", "anna"), (b"2", "anna"), (b"3", "bob")):
        assert await tokens.create(db, medic_id, secret_hash=secret_hash, at=AT)
    assert not await tokens.create(db, "nobody", secret_hash=b"4", at=AT)
    asked = [b"1", b"2", b"3", b"4"]
    assert await tokens.find_all(db, asked) == {b"1": "anna", b"2": "anna", b"3": "bob"}
    assert await tokens.revoke_all(db, "anna") == 2
    assert await tokens.find_all(db, asked) == {b"3": "bob"}


async def test_a_token_that_is_revoked_while_it_is_looked_up_opens_nothing(db):
    """Else a device that says hello just then keeps its socket: the others are closed before it is there."""
    await medics.create(db, [a_medic("anna")])
    secret = auth.new_token()
    await tokens.create(db, "anna", secret_hash=auth.secret_hash(secret), at=AT)
    revoked = False

    async def find(known: bytes) -> str | None:
        nonlocal revoked
        found = (await tokens.find_all(db, [known])).get(known)
        if not revoked:  # and the answer is on its way meanwhile
            revoked = True
            await tokens.revoke_all(db, "anna")
            desk.forget("anna")
        return found

    desk = auth.TokenDesk(find)
    assert await desk.medic(secret) is None
    assert await desk.medic(secret) is None


async def test_an_sms_counts_once(db):
    times = await asyncio.gather(*(inbound.first_time(db, "SM1", at=AT) for _ in range(4)))
    assert times.count(True) == 1
    await inbound.purge(db, at=AT + inbound.KEPT_MS)
    assert not await inbound.first_time(db, "SM1", at=AT)
    await inbound.purge(db, at=AT + inbound.KEPT_MS + 1)
    assert await inbound.first_time(db, "SM1", at=AT)
