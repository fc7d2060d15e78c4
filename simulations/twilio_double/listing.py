"""`GET Messages.json`: filters and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from simulations.twilio_double.records import API_VERSION, Record

_PAGE_SIZE = 50
_PAGE_SIZE_MAX = 1000
_DAY = timedelta(days=1)


def page(records: Sequence[Record], account_sid: str, query: Mapping[str, str]) -> dict[str, Any]:
    """One page of `records` (oldest first) as Twilio answers it: newest first, the next page by its token."""
    found = [record for record in reversed(records) if _fits(record, query)]
    size = min(max(int(query.get("PageSize", _PAGE_SIZE)), 1), _PAGE_SIZE_MAX)
    number = int(query.get("Page", 0))
    start = _after(found, query.get("PageToken"))
    shown = found[start : start + size]
    more = len(found) > start + size
    path = f"/{API_VERSION}/Accounts/{account_sid}/Messages.json"
    filters = {name: value for name, value in query.items() if name not in ("Page", "PageToken", "PageSize")}

    def uri(page_number: int, token: str | None) -> str:
        fields = {**filters, "PageSize": str(size), "Page": str(page_number)}
        return f"{path}?{urlencode(fields | ({'PageToken': token} if token else {}))}"

    return {
        "messages": [record.resource() for record in shown],
        "page": number,
        "page_size": size,
        "start": start,
        "end": start + len(shown) - 1 if shown else start,
        "uri": uri(number, query.get("PageToken")),
        "first_page_uri": uri(0, None),
        "previous_page_uri": None,
        "next_page_uri": uri(number + 1, f"PA{shown[-1].sid}") if more else None,
    }


def _after(found: Sequence[Record], token: str | None) -> int:
    if token is None:
        return 0
    return next((index + 1 for index, record in enumerate(found) if token == f"PA{record.sid}"), len(found))


def _fits(record: Record, query: Mapping[str, str]) -> bool:
    if query.get("To", record.to) != record.to or query.get("From", record.from_) != record.from_:
        return False
    return _sent_when(record, query)


def _sent_when(record: Record, query: Mapping[str, str]) -> bool:
    """`DateSent` filters. One that has not been sent yet has no date, and fits none of them."""
    bounds = {name: _date(query[name]) for name in ("DateSent", "DateSent<", "DateSent>") if name in query}
    if not bounds:
        return True
    if record.sent_s is None:
        return False
    sent = datetime.fromtimestamp(record.sent_s, UTC)
    return (
        ("DateSent" not in bounds or bounds["DateSent"] <= sent < bounds["DateSent"] + _DAY)
        and ("DateSent<" not in bounds or sent <= bounds["DateSent<"])
        and ("DateSent>" not in bounds or sent >= bounds["DateSent>"])
    )


def _date(text: str) -> datetime:
    date = datetime.fromisoformat(text)
    return date if date.tzinfo else date.replace(tzinfo=UTC)
