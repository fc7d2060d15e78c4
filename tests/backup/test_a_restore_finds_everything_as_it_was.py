"""Every row of what a service keeps comes back byte for byte, and what a node's life leaves does not."""

from pathlib import Path

import pytest

from dispatch.core.evolve import evolve_all
from dispatch.records import Details, Fix, Medic, Position
from dispatch.store import incidents, medics, positions, service
from dispatch.store.backup import OF_A_LIFE, backup, restore
from tests.api.world import everything
from tests.dispatcher.town import a_medic, a_policy, some_medics

ODD = "Zoë, \"de Vries\"\r\nbelow\t\\N ; '' \u2028 ünd 薬"


def an_odd_medic() -> Medic:
    return a_medic("medic-odd", 90, name=ODD, phone="+31612345678", skills=("nurse", "a,b", '"c"', ""))


async def a_night(town) -> None:
    """Incidents in every state, with texts of every kind, and none."""
    await town.add([*some_medics(8), an_odd_medic()])
    answered = await town.report("unconscious")
    await town.acknowledge(answered)
    await town.answer(answered, 1, "accept")
    await town.answer(answered, 2, "decline")
    closed = await town.report()
    from dispatch.core import commands as c

    await town.dispatcher.command(closed.id, "key", c.Close)
    await town.report("other", hazard="hold")
    from dispatch.records import NewIncident

    details = Details(Position(52.09, 5.12, 7.25), ODD, "", None)
    await town.dispatcher.open(town.room_id, "key", NewIncident("odd", "trauma", details))
    await town.quiet()
    await town.dispatcher.positions.flush()


async def test_byte_for_byte(start_town, pool, restored, database_url, empty_database, tmp_path: Path):
    town = await start_town(policies={"trauma": a_policy(waves=[(0, 2)])})
    await a_night(town)
    made = await backup(database_url, tmp_path / "b")
    before = await everything(pool)
    back = await restore(empty_database, tmp_path / "b")
    assert back == made
    again = await restored()
    after = await everything(again)
    assert after.keys() == before.keys()
    assert {name for name in before if before[name] != after[name]} <= {*OF_A_LIFE}
    assert {table.name for table in made.tables} == before.keys() - {*OF_A_LIFE}
    assert made.rows("incident") == 4
    for (incident_id,) in await pool.fetch("select id from incident"):
        assert await incidents.load(again, incident_id) == await incidents.load(pool, incident_id)
        written = await incidents.events_of(again, incident_id)
        assert evolve_all(None, [one.event for one in written]).seq == len(written)


async def test_whatever_else_an_operator_has_in_the_database(
    pool, restored, database_url, empty_database, tmp_path: Path
):
    """A table of theirs beside ours, and numbers told with fewer digits to who does not ask for all."""
    await pool.execute("create table their_report (n integer)")
    await pool.execute(
        f"alter database {await pool.fetchval('select current_database()')} set extra_float_digits = 0"
    )
    await medics.create(pool, [an_odd_medic()])
    await positions.save(pool, [Fix("medic-odd", 0.1 + 0.2, 5.1, None, 1)])
    await backup(database_url, tmp_path / "b")
    await restore(empty_database, tmp_path / "b")
    assert await (await restored()).fetchval("select lat from medic_position") == 0.1 + 0.2


async def test_it_is_paused_and_the_one_it_was_made_of_is_not(
    start_town, pool, restored, database_url, empty_database, tmp_path: Path
):
    await start_town()
    await backup(database_url, tmp_path / "b")
    await restore(empty_database, tmp_path / "b")
    assert await service.paused_at(await restored()) is not None
    assert await service.paused_at(pool) is None


async def test_nothing_of_it_is_left_out(pool):
    """A kind of thing that a backup of tables would miss: whoever adds one must think of backups."""
    kinds = await pool.fetch(
        "select relkind::text, relname from pg_class where relnamespace = 'public'::regnamespace"
    )
    assert {kind for kind, _ in kinds} <= {"r", "i", "v", "c"}, "no sequences, no partitions"
    large = await pool.fetchval("select count(*) from pg_largeobject_metadata")
    assert large == 0


async def test_an_empty_service_too(start_town, restored, database_url, empty_database, tmp_path: Path):
    made = await backup(database_url, tmp_path / "b")
    assert (made.rows("incident"), made.rows("roster")) == (0, 1)
    await restore(empty_database, tmp_path / "b")
    assert await (await restored()).fetchval("select change_no from roster") == 0


@pytest.mark.parametrize("schema", ["none", "same"])
async def test_into_a_schema_without_rows(database_url, empty_database, tmp_path: Path, schema: str):
    from dispatch.store.database import upgrade

    await backup(database_url, tmp_path / "b")
    if schema == "same":
        await upgrade(empty_database)
    await restore(empty_database, tmp_path / "b")
