"""Rows as asyncpg gives them: by name, by place, and as a sequence of their values."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any


class Record(tuple[Any, ...]):
    """As much of asyncpg's Record as is used. Each statement has a descendant with its columns' names."""

    __slots__ = ()
    places: dict[str, int]

    def __getitem__(self, which: Any) -> Any:
        return tuple.__getitem__(self, self.places[which] if type(which) is str else which)

    def __contains__(self, name: object) -> bool:
        return name in self.places

    def get(self, name: str, default: Any = None) -> Any:
        place = self.places.get(name)
        return default if place is None else tuple.__getitem__(self, place)

    def keys(self) -> Iterator[str]:
        return iter(self.places)

    def values(self) -> Iterator[Any]:
        return iter(self)

    def items(self) -> Iterator[tuple[str, Any]]:
        return zip(self.places, self, strict=True)


def record(columns: Iterable[str]) -> Callable[[Iterable[Any]], Record]:
    """Makes records with these columns from their values."""
    places = {name: place for place, name in enumerate(columns)}
    return type("Record", (Record,), {"__slots__": (), "places": places})
