"""The statements about medics: their rows, their fixes, and what is left of them when they are deleted."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from tests.simulator import database_errors as errors
from tests.simulator.database_append import claims
from tests.simulator.database_modelled import modelled
from tests.simulator.database_tables import Medic, MedicGone, MedicPosition, Roster, Tables

if TYPE_CHECKING:
    from tests.simulator.database import ModelDatabase

Rows = Iterator[tuple[Any, ...]]

COLUMNS = " ".join(Medic._fields)
_ARRAYS = [Medic._fields.index(name) for name in ("skills", "channels", "blocked")]


def add_medics(database: "ModelDatabase", rows: Sequence[Sequence[Any]]) -> Rows:
    """New medics, as a copy brings them. Raises as Postgres does where an id or a phone is taken."""
    tables = database.tables
    for values in rows:
        medic = _medic(values)
        if medic.id in tables.medic:
            raise errors.unique("medic_pkey")
        _take_phone(tables, medic)
        tables.put(tables.medic, medic.id, medic)
    return iter(())


@modelled("medics", "insert")
def insert(database: "ModelDatabase", *values: Any) -> Rows:
    return add_medics(database, [values])


@modelled("medics", "update")
def update(database: "ModelDatabase", *values: Any) -> Rows:
    tables, medic = database.tables, _medic(values)
    before = tables.medic.get(medic.id)
    if before is not None:
        if before.phone != medic.phone:
            _take_phone(tables, medic)
            tables.drop(tables.medic_phone, before.phone)
        tables.put(tables.medic, medic.id, medic)
    return iter(())


@modelled("medics", "next_change", "change_no")
def next_change(database: "ModelDatabase") -> Rows:
    tables = database.tables
    change_no = tables.roster[True].change_no + 1
    tables.put(tables.roster, True, Roster(True, change_no))
    return iter([(change_no,)])


@modelled("medics", "change_no", "change_no")
def change_no(database: "ModelDatabase") -> Rows:
    yield (database.tables.roster[True].change_no,)


@modelled("medics", "get", COLUMNS)
def get(database: "ModelDatabase", medic_id: str) -> Rows:
    return _rows(database.tables.medic.get(medic_id))


@modelled("medics", "lock", COLUMNS)
def lock(database: "ModelDatabase", medic_id: str) -> Rows:
    tables = database.tables
    if medic_id in tables.medic:
        tables.lock(tables.medic, medic_id)
    return _rows(tables.medic.get(medic_id))


@modelled("medics", "by_phone", COLUMNS)
def by_phone(database: "ModelDatabase", phone: str) -> Rows:
    tables = database.tables
    return _rows(tables.medic.get(tables.medic_phone.get(phone, "")))


@modelled("medics", "phones_known", "phone")
def phones_known(database: "ModelDatabase", phones: Sequence[str]) -> Rows:
    for phone in dict.fromkeys(phones):
        if phone in database.tables.medic_phone:
            yield (phone,)


@modelled("medics", "page", COLUMNS)
def page(database: "ModelDatabase", after: str, limit: int) -> Rows:
    found = [medic for medic in database.tables.medic.values() if medic.id > after]
    return _rows(*sorted(found, key=attrgetter("id"))[:limit])


@modelled("medics", "changed", COLUMNS)
def changed(database: "ModelDatabase", number: int) -> Rows:
    found = [medic for medic in database.tables.medic.values() if medic.change_no > number]
    return _rows(*sorted(found, key=attrgetter("change_no")))


@modelled("medics", "gone", "medic_id")
def gone(database: "ModelDatabase", number: int) -> Rows:
    for row in database.tables.medic_gone.values():
        if row.change_no > number:
            yield (row.medic_id,)


@modelled("medics", "roster", f"{COLUMNS.removesuffix(' change_no')} lat lon accuracy_m at")
def roster(database: "ModelDatabase") -> Rows:
    tables = database.tables
    for medic in tables.medic.values():
        fix = tables.medic_position.get(medic.id)
        *row, _ = (json.dumps(value) if i in _ARRAYS else value for i, value in enumerate(medic))
        yield (*row, *(fix[1:] if fix is not None else (None,) * 4))


# --- deleting


@modelled("medics", "delete", "bool")
def delete(database: "ModelDatabase", medic_id: str) -> Rows:
    """Unrealistic: tokens and codes, which would go with her, are not modelled."""
    tables = database.tables
    medic = tables.medic.get(medic_id)
    if medic is None:
        return iter(())
    tables.drop(tables.medic, medic_id)
    tables.drop(tables.medic_phone, medic.phone)
    tables.drop(tables.medic_position, medic_id)
    return iter([(True,)])


@modelled("medics", "forget_alerts")
def forget_alerts(database: "ModelDatabase", medic_id: str) -> Rows:
    tables = database.tables
    for key in tables.alerts_of_medic.get(medic_id, ()):
        alert = tables.alert[key]
        if claims(alert):
            tables.drop(tables.claim, medic_id)
        tables.put(tables.alert, key, alert._replace(medic_id=None, distance_m=None, digit_pair=None))
    tables.drop(tables.alerts_of_medic, medic_id)
    return iter(())


@modelled("medics", "pages_of_inputs", "pages")
def pages_of_inputs(_database: "ModelDatabase") -> Rows:
    yield (1,)


@modelled("medics", "forget_inputs")
def forget_inputs(database: "ModelDatabase", medic_id: str, _from_page: int, _to_page: int) -> Rows:
    return forget_inputs_of(database, medic_id, {key[0] for key in database.tables.decision_input})


@modelled("medics", "forget_inputs_of")
def forget_inputs_of(database: "ModelDatabase", medic_id: str, incident_ids: Collection[str]) -> Rows:
    tables, hers = database.tables, f'"{medic_id}"'
    for key, row in list(tables.decision_input.items()):
        if key[0] in incident_ids and hers in row.body:
            tables.put(tables.decision_input, key, row._replace(body=""))
    return iter(())


@modelled("medics", "tell_gone")
def tell_gone(database: "ModelDatabase", medic_id: str, number: int) -> Rows:
    tables = database.tables
    if medic_id in tables.medic_gone:
        raise errors.unique("medic_gone_pkey")
    tables.put(tables.medic_gone, medic_id, MedicGone(medic_id, number))
    return iter(())


# --- fixes


@modelled("positions", "save")
def save_positions(
    database: "ModelDatabase",
    medic_ids: Sequence[str],
    lats: Sequence[float],
    lons: Sequence[float],
    accuracies_m: Sequence[float | None],
    ats: Sequence[int],
) -> Rows:
    tables = database.tables
    for medic_id, lat, lon, accuracy_m, at in sorted(
        zip(medic_ids, lats, lons, accuracies_m, ats, strict=True), key=lambda fix: fix[0]
    ):
        old = tables.medic_position.get(medic_id)
        if medic_id not in tables.medic:
            continue
        tables.lock(tables.medic, medic_id)
        _check_position(lat, lon)
        if old is None or old.at < at:
            accuracy_m = None if accuracy_m is None else float(accuracy_m)
            fix = MedicPosition(medic_id, float(lat), float(lon), accuracy_m, at)
            tables.put(tables.medic_position, medic_id, fix)
    return iter(())


def _check_position(lat: float, lon: float) -> None:
    if not -90 <= lat <= 90:
        raise errors.check("medic_position", "medic_position_lat_check")
    if not -180 <= lon <= 180:
        raise errors.check("medic_position", "medic_position_lon_check")


def _medic(values: Sequence[Any]) -> Medic:
    row = list(values)
    for place in _ARRAYS:
        row[place] = list(row[place])
    return Medic(*row)


def _take_phone(tables: Tables, medic: Medic) -> None:
    if medic.phone in tables.medic_phone:
        raise errors.unique("medic_phone_key")
    tables.put(tables.medic_phone, medic.phone, medic.id)


def _rows(*medics: Medic | None) -> Rows:
    """Each answer has arrays of its own: nobody can change a row by changing what he was given."""
    copied: Callable[[int, Any], Any] = lambda i, value: list(value) if i in _ARRAYS else value  # noqa: E731
    for medic in medics:
        if medic is not None:
            yield tuple(copied(i, value) for i, value in enumerate(medic))
