"""The tables of the model: what each row has, in the order of the schema's columns, and the way to a row.

Rows are never changed, only put in another's place, and every put or drop is noted, so that it can be taken
back. Nothing is iterated in an order that depends on a hash: dicts keep the order in which rows came.
"""

from collections.abc import Hashable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")


class ControlRoom(NamedTuple):
    id: str
    name: str
    feed_pos: int


class Policy(NamedTuple):
    hash: str
    body: str


class Incident(NamedTuple):
    id: str
    control_room_id: str
    reference: str
    kind: str
    priority: int
    drill: bool
    state: str
    policy: str
    seq: int
    opened_at: int
    ended_at: int | None
    due_at: int | None
    owed: bool
    feed_pos: int
    node: str | None
    untold: bool


class IncidentDetails(NamedTuple):
    incident_id: str
    lat: float
    lon: float
    accuracy_m: float | None
    address: str | None
    directions: str | None
    details: str | None


class Decision(NamedTuple):
    incident_id: str
    seq: int
    count: int  # type: ignore[assignment]  # the column, not the method of a tuple
    control_room_id: str
    feed_pos: int
    append_id: int
    schema_version: int
    events: str


class DecisionInput(NamedTuple):
    incident_id: str
    seq: int
    body: str


class Alert(NamedTuple):
    incident_id: str
    n: int
    medic_id: str | None
    distance_m: int | None
    digit_pair: int | None
    drill: bool
    holds: str | None


class Notification(NamedTuple):
    incident_id: str
    n: int
    k: int
    channel: str
    purpose: str
    state: str
    requested_at: int
    node: str
    attempted_at: int | None = None
    provider_id: str | None = None


class Idempotency(NamedTuple):
    control_room_id: str
    key: str
    request_hash: bytes
    subject: str
    created_at: int
    append_id: int


class Medic(NamedTuple):
    id: str
    name: str
    phone: str
    language: str
    skills: list[str]
    mode: str
    cleared_for_homes: bool
    verified: bool
    suspended: bool
    certificate_until: int | None
    registered_by: str | None
    available: bool
    drills: bool
    time_zone: str | None
    quiet_hours: str
    places: str
    channels: list[str]
    blocked: list[str]
    change_no: int


class MedicGone(NamedTuple):
    medic_id: str
    change_no: int


class MedicPosition(NamedTuple):
    medic_id: str
    lat: float
    lon: float
    accuracy_m: float | None
    at: int


class InboundSms(NamedTuple):
    provider_id: str
    received_at: int


class Roster(NamedTuple):
    one: bool
    change_no: int


class Node(NamedTuple):
    id: str
    name: str
    lease_until: int
    started_at: int


class Bus(NamedTuple):
    one: bool
    no: int


class News(NamedTuple):
    no: int
    node: str
    at: int
    body: str


class Service(NamedTuple):
    one: bool
    paused_at: int | None


class Table(dict[Key, Row], Generic[Key, Row]):
    """Rows by their key, in the order in which they came. Written through `Tables` alone."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


Change = tuple[Table[Any, Any], Any, Any]
"""A table, a key, and the row there (None: no row): before a change in a journal, after it in a redo log."""


class Tables:
    """All tables, and beside them the indexes that the statements need, which are tables too.

    ``journal`` has what the statement under way has changed, ``touched`` what it has locked.
    """

    def __init__(self) -> None:
        self.control_room: Table[str, ControlRoom] = Table("control_room")
        self.policy: Table[str, Policy] = Table("policy")
        self.incident: Table[str, Incident] = Table("incident")
        self.incident_details: Table[str, IncidentDetails] = Table("incident_details")
        self.decision: Table[tuple[str, int], Decision] = Table("decision")
        self.decision_input: Table[tuple[str, int], DecisionInput] = Table("decision_input")
        self.alert: Table[tuple[str, int], Alert] = Table("alert")
        self.notification: Table[tuple[str, int, int], Notification] = Table("notification")
        self.idempotency: Table[tuple[str, str], Idempotency] = Table("idempotency")
        self.medic: Table[str, Medic] = Table("medic")
        self.medic_gone: Table[str, MedicGone] = Table("medic_gone")
        self.medic_position: Table[str, MedicPosition] = Table("medic_position")
        self.inbound_sms: Table[str, InboundSms] = Table("inbound_sms")
        self.roster: Table[bool, Roster] = Table("roster")
        self.node: Table[str, Node] = Table("node")
        self.bus: Table[bool, Bus] = Table("bus")
        self.news: Table[int, News] = Table("news")
        self.service: Table[bool, Service] = Table("service")
        self.all: tuple[Table[Any, Any], ...] = tuple(vars(self).values())

        # Indexes. A key with several rows has the tuple of theirs, in the order in which they came.
        self.control_room_name: Table[str, str] = Table("control_room_name_key")
        self.decisions_of: Table[str, tuple[int, ...]] = Table("decision_pkey")
        self.decision_feed: Table[tuple[str, int], tuple[str, int]] = Table("decision_feed")
        self.alerts_of: Table[str, tuple[int, ...]] = Table("alert_pkey")
        self.alerts_of_medic: Table[str, tuple[tuple[str, int], ...]] = Table("alert_of_medic")
        self.claim: Table[str, tuple[str, int]] = Table("alert_one_claim_a_medic")
        self.incident_owed: Table[str, bool] = Table("incident_owed")
        self.incident_reference: Table[tuple[str, str], tuple[str, ...]] = Table("incident_reference")
        self.notification_pending: Table[tuple[str, int, int], bool] = Table("notification_pending")
        self.medic_phone: Table[str, str] = Table("medic_phone_key")
        self.node_name: Table[str, str] = Table("node_name_key")

        self.journal: list[Change] = []
        self.touched: list[tuple[Table[Any, Any], Any]] = []
        self.roster[True] = Roster(True, 0)
        self.bus[True] = Bus(True, 0)
        self.service[True] = Service(True, None)

    def put(self, table: Table[Key, Row], key: Key, row: Row) -> None:
        """A row in the place of the one there, if any."""
        self.journal.append((table, key, table.get(key)))
        table[key] = row

    def drop(self, table: Table[Key, Any], key: Key) -> None:
        """No row there any more."""
        before = table.pop(key, None)
        if before is not None:
            self.journal.append((table, key, before))

    def lock(self, table: Table[Key, Any], key: Key) -> None:
        """The row is not changed, but nobody else may change it before this transaction ends."""
        self.touched.append((table, key))

    def add_to(self, index: Table[Key, tuple[Row, ...]], key: Key, one: Row) -> None:
        self.put(index, key, (*index.get(key, ()), one))

    def redo(self, changes: Iterable[Change]) -> None:
        for table, key, after in changes:
            if after is None:
                self.drop(table, key)
            else:
                self.put(table, key, after)


def undo(journal: list[Change]) -> None:
    """Takes back what was changed, the last first."""
    for table, key, before in reversed(journal):
        if before is None:
            del table[key]
        else:
            table[key] = before


def after(journal: list[Change]) -> list[Change]:
    """What a journal's changes led to, each row once, in the order in which they were first changed."""
    rows = {(table.name, key): (table, key, table.get(key)) for table, key, _ in journal}
    return list(rows.values())
