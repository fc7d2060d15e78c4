"""A medic's own alerts: of live incidents, and of those that ended not long ago."""

from made import AT, accepted, closed, opening, stood_down, then

from dispatch.store import alerts


async def test_live_and_lately_ended_newest_first(appender, db):
    old = opening("i1", ["anna"])
    engaged = then(old, accepted(1))
    await appender.append(old)
    await appender.append(engaged)
    assert [one.holds for one in await alerts.of_medic(db, "anna", ended_since=0)] == ["engaged"]
    await appender.append(then(engaged, stood_down(1), closed(AT + 2_000)))
    await appender.append(opening("i2", ["bob", "anna"], at=AT + 9))
    found = await alerts.of_medic(db, "anna", ended_since=AT + 2_000)
    assert [(one.incident_id, one.n, one.digit_pair, one.holds, one.incident_state) for one in found] == [
        ("i2", 2, 2, "open", "open"),
        ("i1", 1, 1, None, "closed"),
    ]
    assert [one.incident_id for one in await alerts.of_medic(db, "anna", ended_since=AT + 2_001)] == ["i2"]


async def test_her_last_digits(appender, db):
    await appender.append(opening("i1", ["anna", "bob"]))
    await appender.append(opening("i2", ["x", "y", "anna"], at=AT + 1, drill=True))
    assert await alerts.digit_pairs(db, since=AT) == {"anna": 3, "bob": 2, "x": 1, "y": 2}
    assert await alerts.digit_pairs(db, since=AT + 1) == {"anna": 3, "x": 1, "y": 2}
