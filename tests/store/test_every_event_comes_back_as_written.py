"""Each type of event, with any values it may have, through the database and back; and by name in the view."""

from typing import get_args

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made import ROOM

from dispatch.core import events as e
from dispatch.store import feed
from dispatch.store.append_rows import encode_events

# Contract: no text of a client holds NUL.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(2**53), 2**53)


def values(kind: msgspec.inspect.Type) -> st.SearchStrategy[object]:
    match kind:
        case msgspec.inspect.UnionType(types=types):
            return st.one_of([values(one) for one in types])
        case msgspec.inspect.LiteralType(values=words):
            return st.sampled_from(words)
        case msgspec.inspect.VarTupleType(item_type=item):
            return st.lists(values(item), max_size=3).map(tuple)
        case msgspec.inspect.NoneType():
            return st.none()
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.IntType():
            return numbers
        case msgspec.inspect.StrType():
            return texts
    raise AssertionError(f"a type that no event had before: {kind}")


def any_of(event_type: type[e.Event]) -> st.SearchStrategy[e.Event]:
    info = msgspec.inspect.type_info(event_type)
    assert isinstance(info, msgspec.inspect.StructType)
    return st.builds(event_type, **{field.name: values(field.type) for field in info.fields})


TYPES = get_args(e.AnyEvent)
one_of_each = st.tuples(*map(any_of, TYPES))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happened=one_of_each)
async def test_round_trip(happened, db):
    await db.execute("truncate decision")
    await db.execute(
        "insert into decision values ('i1', 1, $1, $2, $1::integer, 7, $3, $4)",
        len(happened),
        ROOM,
        e.SCHEMA_VERSION,
        encode_events(happened).decode(),
    )
    read = await feed.read(db, ROOM, after=0, limit=1000)
    assert tuple(written.event for written in read) == happened
    rows = await db.fetch("select type, at from event order by seq")
    assert [tuple(row) for row in rows] == [(e.type_of(event), event.at) for event in happened]
