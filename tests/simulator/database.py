"""A model of the database: what Postgres would answer, in plain Python, at one instant.

It has no faults, no clock and no chance of its own: those belong to the network before it (`database_pool`)
and to who made it. The real store code runs over it, since it knows the statements by their SQL text. That it
answers as Postgres does is shown by ``test_the_model_answers_as_postgres_does.py``.

A transaction of several statements is kept apart from the tables: each of its statements is run on the tables
with the transaction's changes laid over them, and then both are taken away again, until it commits. Rows that
it changed or locked are its own until its end; who wants to write them has to wait.

Unrealistic: statements do not overlap, so there are no deadlocks and no serialization failures; a reader's
lock is as strong as a writer's; the writes of a snapshot (repeatable read) are not modelled; a session whose
client has gone without a word lives until somebody ends it.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from tests.simulator.database_errors import NotModelled, error
from tests.simulator.database_statements import MODELLED, Statement
from tests.simulator.database_tables import Change, ControlRoom, Decision, Tables, after, undo

Hear = Callable[[int, str, str], None]


class Blocked(Exception):
    """What was to be written belongs to a transaction that is not over; nothing was done."""

    def __init__(self, by: "Transaction") -> None:
        super().__init__()
        self.by = by


class Committed(msgspec.Struct, frozen=True):
    """One committed append: by which session, and the arguments of the function ``append`` as they came."""

    session: int
    arguments: tuple[Any, ...]
    decisions: tuple[Decision, ...]


class Transaction:
    """What one transaction has changed (the rows as they became) and locked, seen by itself alone."""

    def __init__(self, *, snapshot: bool, readonly: bool) -> None:
        self.snapshot, self.readonly = snapshot, readonly
        self.changes: list[Change] = []
        self.locks: dict[tuple[str, Any], None] = {}
        self.later: list[Change] | None = None
        """In a snapshot: the journal of what others have committed since its first statement."""
        self.notifications: list[tuple[str, str]] = []
        self.appends: list[Committed] = []
        self.failed = False
        self.ended: list[Callable[[], None]] = []
        """Called at its end: those who wait for its rows."""


class Session:
    """The server's side of one connection."""

    def __init__(self, database: "ModelDatabase", number: int) -> None:
        self._database = database
        self.number = number
        self.transaction: Transaction | None = None
        self.listens: dict[str, None] = {}
        self.hear: Hear = lambda *_: None
        self.open = True

    def execute(self, statement: Statement, arguments: tuple[Any, ...]) -> list[Any]:
        """The rows of one statement. Raises Blocked, and what Postgres would raise."""
        self._check_open()
        return self._database.run(self, statement, arguments)

    def begin(self, *, snapshot: bool, readonly: bool) -> None:
        self._check_open()
        self.transaction = Transaction(snapshot=snapshot, readonly=readonly)

    def commit(self) -> None:
        self._check_open()
        transaction, self.transaction = self.transaction, None
        if transaction is not None:
            self._database.end(self, transaction, commit=not transaction.failed)

    def rollback(self) -> None:
        transaction, self.transaction = self.transaction, None
        if transaction is not None:
            self._database.end(self, transaction, commit=False)

    def reset(self) -> None:
        """As a pool leaves a connection that comes back."""
        self.rollback()
        self.listens.clear()

    def end(self) -> None:
        """The connection is gone, and with it what was not committed."""
        self.open = False
        self.reset()
        self._database.sessions.pop(self.number, None)

    def _check_open(self) -> None:
        if not self.open:  # the network brings what was sent before the connection was lost: nobody takes it
            raise ConnectionResetError("the session has ended")


class ModelDatabase:
    """``now_ms`` is the database's own clock. ``on_commit`` is told of each committed append, at once.

    ``log`` has all decisions in commit order; ``tables`` may be read, never written, from outside.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self.now_ms = now_ms
        self.on_commit: Callable[[Committed], None] = lambda _: None
        self.tables = Tables()
        self.starts = 1
        """How often the server was started."""
        self.log: list[Decision] = []
        self.sessions: dict[int, Session] = {}
        self.transaction: Transaction | None = None
        """That of the statement under way, where there is one of several statements."""
        self.notifications: list[tuple[str, str]] = []
        self._appended: list[Decision] = []
        self._made = 0
        self._locks: dict[tuple[str, Any], Transaction] = {}
        self._snapshots: list[Transaction] = []

    def add_control_room(self, room_id: str, name: str | None = None) -> None:
        """As a world has it before it begins."""
        self.tables.control_room[room_id] = ControlRoom(room_id, name or room_id, 0)
        self.tables.control_room_name[name or room_id] = room_id

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """What is committed in a table, its columns in the schema's order."""
        found = next(one for one in self.tables.all if one.name == table)
        return [tuple(row) for row in found.values()]

    def connect(self) -> Session:
        self._made += 1
        session = self.sessions[self._made] = Session(self, self._made)
        return session

    def statement(self, sql: str) -> Statement:
        """Raises NotModelled."""
        found = MODELLED.get(sql)
        if found is None:
            raise NotModelled(f"the model of the database does not know this statement: {sql}")
        return found

    # --- for sessions

    def run(self, session: Session, statement: Statement, arguments: tuple[Any, ...]) -> list[Any]:
        transaction = session.transaction
        if transaction is None:
            return self._run_alone(session, statement, arguments)
        if transaction.failed:
            raise error("25P02", "current transaction is aborted, commands ignored until end of block")
        return self._run_within(session, transaction, statement, arguments)

    def end(self, session: Session, transaction: Transaction, *, commit: bool) -> None:
        """Commits or rolls back; those who waited for its rows may go on."""
        for lock in transaction.locks:
            del self._locks[lock]
        if transaction.later is not None:
            self._snapshots.remove(transaction)
        if commit:
            journal: list[Change] = []
            self.tables.journal = journal
            self.tables.redo(transaction.changes)
            self._committed(session, journal, transaction.notifications, transaction.appends)
        for wake in transaction.ended:
            wake()

    def appended(self, decisions: list[Decision]) -> None:
        """The statement under way is an append, and wrote these."""
        self._appended = decisions

    def locked(self, table: str, key: Any) -> bool:
        """Whether the row belongs to a transaction other than the one under way."""
        owner = self._locks.get((table, key))
        return owner is not None and owner is not self.transaction

    def _run_alone(self, session: Session, statement: Statement, arguments: tuple[Any, ...]) -> list[Any]:
        self.transaction = None
        rows, journal = self._run(statement, arguments)
        self._committed(session, journal, self.notifications, self._commits(session, arguments))
        return rows

    def _run_within(
        self, session: Session, transaction: Transaction, statement: Statement, arguments: tuple[Any, ...]
    ) -> list[Any]:
        tables = self.tables
        if transaction.snapshot and transaction.later is None:
            transaction.later = []
            self._snapshots.append(transaction)
        later = transaction.later
        if later:
            now = after(later)
            undo(later)
        overlay: list[Change] = []
        tables.journal = overlay
        tables.redo(transaction.changes)
        self.transaction = transaction
        try:
            rows, journal = self._run(statement, arguments)
            if journal and (transaction.snapshot or transaction.readonly):
                raise NotModelled("a write in a snapshot")
            self._keep(transaction, overlay + journal)
            transaction.appends += self._commits(session, arguments)
            overlay += journal
        except Blocked:
            raise
        except Exception:
            transaction.failed = True
            raise
        finally:
            undo(overlay)
            if later:
                tables.journal = []
                tables.redo(now)
        return rows

    def _run(self, statement: Statement, arguments: tuple[Any, ...]) -> tuple[list[Any], list[Change]]:
        """Runs it on the tables as they stand, all or nothing."""
        tables = self.tables
        journal: list[Change] = []
        tables.journal = journal
        tables.touched = []
        self.notifications, self._appended = [], []
        try:
            rows = [statement.record(row) for row in statement.run(self, *arguments)]
            if self._locks:
                self._check_locks(journal)
        except BaseException:
            undo(journal)
            raise
        return rows, journal

    def _check_locks(self, journal: list[Change]) -> None:
        wanted = [(table.name, key) for table, key, _ in journal]
        wanted += [(table.name, key) for table, key in self.tables.touched]
        for lock in wanted:
            owner = self._locks.get(lock)
            if owner is not None and owner is not self.transaction:
                raise Blocked(owner)

    def _commits(self, session: Session, arguments: tuple[Any, ...]) -> list[Committed]:
        decisions = tuple(self._appended)
        return [Committed(session.number, arguments, decisions)] if decisions else []

    def _keep(self, transaction: Transaction, journal: list[Change]) -> None:
        transaction.changes = after(journal)
        transaction.notifications += self.notifications
        wanted = [(table.name, key) for table, key, _ in transaction.changes]
        wanted += [(table.name, key) for table, key in self.tables.touched]
        for lock in wanted:
            self._locks[lock] = transaction
            transaction.locks[lock] = None

    def _committed(
        self,
        session: Session,
        journal: list[Change],
        notifications: list[tuple[str, str]],
        appends: list[Committed],
    ) -> None:
        for snapshot in self._snapshots:
            assert snapshot.later is not None
            snapshot.later += journal
        for channel, payload in dict.fromkeys(notifications):
            for listener in list(self.sessions.values()):
                if channel in listener.listens:
                    listener.hear(session.number, channel, payload)
        for append in appends:
            self.log += append.decisions
            self.on_commit(append)
