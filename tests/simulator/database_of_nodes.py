"""The statements about nodes: who lives, how far everything is, whether to send; the news between them."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from dispatch.store.news import CHANNEL
from tests.simulator import database_errors as errors
from tests.simulator.database_modelled import modelled
from tests.simulator.database_tables import Bus, News, Node, Service, Tables

if TYPE_CHECKING:
    from tests.simulator.database import ModelDatabase

Rows = Iterator[tuple[Any, ...]]

DAY_MS = 24 * 3600 * 1000
NEWS_KEPT_MS = 60_000


@modelled("nodes", "join")
def join(database: "ModelDatabase", node_id: str, name: str, lease_ms: int) -> Rows:
    tables, now = database.tables, database.now_ms()
    former = tables.node_name.get(name)
    if former is not None:
        _forget(tables, tables.node[former])
    _put(tables, Node(node_id, name, now + lease_ms, now))
    return iter(())


@modelled("nodes", "rejoin", "bool")
def rejoin(database: "ModelDatabase", former_id: str, node_id: str, lease_ms: int) -> Rows:
    tables, now = database.tables, database.now_ms()
    former = tables.node.get(former_id)
    if former is None:
        return iter(())
    _forget(tables, former)
    _put(tables, Node(node_id, former.name, now + lease_ms, now))
    return iter([(True,)])


@modelled("nodes", "renew", "bool")
def renew(database: "ModelDatabase", node_id: str, lease_ms: int) -> Rows:
    tables, now = database.tables, database.now_ms()
    node = tables.node.get(node_id)
    if node is None or node.lease_until <= now:
        return iter(())
    tables.put(tables.node, node_id, node._replace(lease_until=now + lease_ms))
    return iter([(True,)])


@modelled("nodes", "leave")
def leave(database: "ModelDatabase", node_id: str) -> Rows:
    node = database.tables.node.get(node_id)
    if node is not None:
        _forget(database.tables, node)
    return iter(())


@modelled("nodes", "look", "rooms feed_positions change_no news_no nodes paused_at server")
def look(database: "ModelDatabase") -> Rows:
    tables, now = database.tables, database.now_ms()
    rooms = sorted(tables.control_room)
    living = sorted(node.id for node in tables.node.values() if node.lease_until > now)
    yield (
        rooms or None,
        [tables.control_room[room].feed_pos for room in rooms] or None,
        tables.roster[True].change_no,
        tables.bus[True].no,
        living or None,
        tables.service[True].paused_at,
        f"start {database.starts}",
    )


@modelled("nodes", "history", "history")
def history(_database: "ModelDatabase") -> Rows:
    yield ("history",)


@modelled("nodes", "purge")
def purge(database: "ModelDatabase") -> Rows:
    now = database.now_ms()
    for node in [node for node in database.tables.node.values() if node.lease_until < now - DAY_MS]:
        _forget(database.tables, node)
    return iter(())


@modelled("news", "notify", "pg_notify")
def notify(database: "ModelDatabase", payload: str) -> Rows:
    database.notifications.append((CHANNEL, payload))
    return iter([(None,)])


@modelled("service", "paused_at", "paused_at")
def paused_at(database: "ModelDatabase") -> Rows:
    yield (database.tables.service[True].paused_at,)


@modelled("service", "pause")
def pause(database: "ModelDatabase") -> Rows:
    tables = database.tables
    if tables.service[True].paused_at is None:
        tables.put(tables.service, True, Service(True, database.now_ms()))
    return iter(())


@modelled("service", "resume", "bool")
def resume(database: "ModelDatabase") -> Rows:
    tables = database.tables
    if tables.service[True].paused_at is None:
        return iter(())
    tables.put(tables.service, True, Service(True, None))
    return iter([(True,)])


@modelled("news", "publish", "no")
def publish(database: "ModelDatabase", node_id: str, body: str) -> Rows:
    tables = database.tables
    no = tables.bus[True].no + 1
    tables.put(tables.bus, True, Bus(True, no))
    tables.put(tables.news, no, News(no, node_id, database.now_ms(), body))
    return iter([(no,)])


@modelled("news", "since", "no node body")
def since(database: "ModelDatabase", number: int, limit: int) -> Rows:
    tables = database.tables
    later = (tables.news.get(no) for no in range(number + 1, tables.bus[True].no + 1))
    pieces = (piece for piece in later if piece is not None)
    return ((piece.no, piece.node, piece.body) for piece in islice(pieces, limit))


@modelled("news", "purge")
def purge_news(database: "ModelDatabase") -> Rows:
    tables, now = database.tables, database.now_ms()
    for no in [no for no, piece in tables.news.items() if piece.at < now - NEWS_KEPT_MS]:
        tables.drop(tables.news, no)
    return iter(())


def _put(tables: Tables, node: Node) -> None:
    if node.id in tables.node:
        raise errors.unique("node_pkey")
    tables.put(tables.node, node.id, node)
    tables.put(tables.node_name, node.name, node.id)


def _forget(tables: Tables, node: Node) -> None:
    tables.drop(tables.node, node.id)
    tables.drop(tables.node_name, node.name)
