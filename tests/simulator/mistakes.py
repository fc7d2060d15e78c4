"""Mistakes to put into the model of the database, each of which the comparison with Postgres has to see."""

from typing import Any

import pytest

from dispatch.store.statements import statements
from tests.simulator import database, database_append, database_of_medics, database_of_sends
from tests.simulator.database_modelled import MODELLED, Statement, nothing
from tests.simulator.database_tables import Alert, Tables

Patch = pytest.MonkeyPatch


def a_drill_holds_her_too(patch: Patch) -> None:
    def claims(alert: Alert) -> bool:
        return alert.holds is not None and alert.medic_id is not None

    patch.setattr(database_append, "claims", claims)
    patch.setattr(database_of_medics, "claims", claims)


def who_is_refused_has_written_something(patch: Patch) -> None:
    patch.setattr(database, "undo", lambda journal: None)


def a_day_is_longer_by_a_millisecond(patch: Patch) -> None:
    patch.setattr(database_append, "DAY_MS", database_append.DAY_MS + 1)


def it_does_not_matter_who_was_first(patch: Patch) -> None:
    go_on = database_append._go_on

    def go_on_anyhow(tables: Tables, room_id: str, feed_pos: int, stream: Any, writer: str) -> bool:
        old = tables.incident.get(stream[0])
        seq = stream[3] if old is None else old.seq + 1
        return go_on(tables, room_id, feed_pos, (*stream[:3], seq, *stream[4:]), writer)

    patch.setattr(database_append, "_go_on", go_on_anyhow)


def claims_begin_before_others_end(patch: Patch) -> None:
    write_holds = database_append._write_holds

    def beginnings_first(tables: Tables, holds: Any) -> None:
        write_holds(tables, [hold for hold in holds if hold[2] is not None])
        write_holds(tables, [hold for hold in holds if hold[2] is None])

    patch.setattr(database_append, "_write_holds", beginnings_first)


def a_dead_node_writes(patch: Patch) -> None:
    patch.setattr(database_append, "lives", lambda model, node_id: True)


def any_node_may_send(patch: Patch) -> None:
    patch.setattr(
        database_of_sends,
        "_hers",
        lambda model, incident_id, n, k, by: model.tables.notification.get((incident_id, n, k)),
    )


def she_is_deleted_and_still_claimed(patch: Patch) -> None:
    patch.setitem(MODELLED, statements("medics")["forget_alerts"], Statement(nothing, tuple))


ALL = (
    a_drill_holds_her_too,
    who_is_refused_has_written_something,
    a_day_is_longer_by_a_millisecond,
    it_does_not_matter_who_was_first,
    claims_begin_before_others_end,
    a_dead_node_writes,
    any_node_may_send,
    she_is_deleted_and_still_claimed,
)
