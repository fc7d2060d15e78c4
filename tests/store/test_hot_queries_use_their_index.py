"""What runs on every decision, socket or poll must not read a table through, however large it grows."""

import pytest
from made import AT, accepted, expired, opening, sms_sent, then, together

from dispatch.store import incidents
from dispatch.store.appender import Appender
from dispatch.store.database import connect_pool
from dispatch.store.statements import QUERIES, statements
from tests.joined import joined

HOT = [
    ("appender", "find_streams", (["i1"], [7]), "decision_pkey"),
    ("appender", "claims_of", (["anna"], []), "alert_one_claim_a_medic"),
    ("incidents", "load", (["i1"], [0]), "incident_pkey"),
    ("incidents", "load", (["i1"], [5]), "decision_pkey"),
    ("incidents", "owed", (), "incident_owed"),
    ("incidents", "untold", (AT,), "incident_untold"),
    ("incidents", "newest", ("room-a", None, AT, "i1", 20), "incident_newest"),
    ("incidents", "newest", ("room-a", ["closed"], AT, "i1", 20), "incident_newest"),
    ("incidents", "reference_used_since", ("room-a", "R", AT), "incident_reference"),
    ("incidents", "events_of", ("i1",), "decision_pkey"),
    ("feed", "read", ("room-a", 7, 100), "decision_feed"),
    ("notifications", "attempt", ("i1", 1, 1, "node", AT, []), "notification_pkey|notification_pending"),
    ("notifications", "take_over", ("node", 10), "notification_pending"),
    ("notifications", "held", ("node",), "notification_pending"),
    ("incidents", "take_over", ("node", 10), "incident_owed"),
    ("incidents", "had_by", ("node",), "incident_owed"),
    ("news", "since", (7, 100), "news_pkey"),
    ("alerts", "of_medic", ("anna", AT), "alert_one_claim_a_medic"),
    ("medics", "by_phone", ("+311",), "medic_phone_key"),
    ("medics", "page", ("anna", 10), "medic_pkey"),
    ("medics", "changed", (7,), "medic_change"),
    ("medics", "gone", (7,), "medic_gone_change"),
    ("medics", "forget_alerts", ("anna",), "alert_one_claim_a_medic"),
    ("tokens", "find_all", ([b"h"],), "device_token_pkey"),
    ("keys", "find", (b"h",), "api_key_secret_hash_key"),
    ("idempotency", "find", ("room-a", "key", AT), "idempotency_pkey"),
    ("idempotency", "purge", (AT,), "idempotency_age"),
    ("inbound", "purge", (AT,), "inbound_sms_age"),
]

MANY = """
insert into incident (
    id, control_room_id, reference, kind, priority, drill, state, policy, seq,
    opened_at, ended_at, owed, feed_pos
)
select n::text, 'room-a', 'R-' || n, 'other', 1, false, 'closed', 'p', 1, n, n, false, n
from generate_series(1, 2000) n;
analyze incident;
"""


async def test_each_is_found_by_index(db):
    misses = {}
    async with db.acquire() as connection, connection.transaction():
        # The tables are empty here: asked what it would do, were they not.
        await connection.execute("set local enable_seqscan = off")
        for subject, name, arguments, index in HOT:
            rows = await connection.fetch(f"explain {statements(subject)[name]}", *arguments)
            plan = "\n".join(row[0] for row in rows)
            if "Seq Scan" in plan or not any(name in plan for name in index.split("|")):
                misses[subject, name] = plan
    assert not misses


@pytest.mark.parametrize(
    ("name", "arguments", "index"),
    [
        ("newest_live", ("room-a", ["open", "held"], *incidents.BEFORE_ALL, 20), "incident_owed"),
        ("newest_of_reference", ("room-a", None, *incidents.BEFORE_ALL, 20, "R-1"), "incident_reference"),
    ],
)
async def test_few_are_found_among_all_that_have_ended(db, name, arguments, index):
    await db.execute(MANY)
    rows = await db.fetch(f"explain {statements('incidents')[name]}", *arguments)
    assert f"using {index} on incident" in "\n".join(row[0] for row in rows)


async def test_an_append_reads_no_table_through(db, database_url):
    """Nor all of one room, however small the tables were when its plans were made. Counted by the server."""
    pool = await connect_pool(database_url, min_size=1, max_size=1)
    appender = Appender(pool, await joined(db))
    await appender.start()
    tables = ["incident", "decision", "decision_input", "incident_details", "alert", "notification"]
    for table in tables:  # or what is read of dead rows depends on when they were cleared away
        await pool.execute(f"alter table {table} set (autovacuum_enabled = off)")
    works = [opening(f"i{i}", [f"m{i}-1", f"m{i}-2"], channel="sms") for i in range(12)]
    followed = [then(work, sms_sent(1), expired(1)) for work in works]
    for work in (*works, *followed):
        await appender.append(work)
    await appender.append(together(*(then(work, accepted(2)) for work in followed)))
    await appender.close()
    await pool.execute("select pg_stat_force_next_flush()")
    rows = await pool.fetch("select * from pg_stat_user_tables where relname = any($1)", tables)
    await pool.close()
    assert {row["relname"] for row in rows if row["n_tup_ins"]} == set(tables)
    assert {row["relname"]: row["seq_scan"] for row in rows} == dict.fromkeys(tables, 0)
    # No look by an index fetches more than a row or two, and none all that a room has.
    assert [row["relname"] for row in rows if row["idx_tup_fetch"] > 2 * row["idx_scan"]] == []


def test_each_statement_has_a_name_and_a_sentence():
    for path in sorted(QUERIES.glob("*.sql")):
        blocks = path.read_text("utf-8").split("-- name: ")[1:]
        assert [block.split("\n")[0] for block in blocks] == list(
            dict.fromkeys(b.split("\n")[0] for b in blocks)
        )
        assert {block.split("\n")[0] for block in blocks} == set(statements(path.stem))
        for block in blocks:
            sentence = block.split("\n")[1]
            assert sentence.startswith("-- "), (path.name, block)
            assert sentence.endswith((".", ",", "first:")) or "\n-- " in block, (path.name, block)
