"""The incidents that a demo reported, found again in the feed and in what the phones heard. Bounded."""

import asyncio

from simulations.calls import Call
from simulations.demo.timeline import Event, Timeline
from simulations.demo.virtual_medic import Heard

REMEMBERED = 200


class IncidentBoard:
    """Timelines in order of their reports, the oldest forgotten first. `changed` is set at every change."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self._by_reference: dict[str, Timeline] = {}
        self._by_incident: dict[str, Timeline] = {}
        self._by_place: dict[str, Timeline] = {}

    @property
    def timelines(self) -> list[Timeline]:
        return list(self._by_reference.values())

    def expect(self, call: Call, reference: str, posted_ms: int) -> Timeline:
        """Before the report is sent: its events may be here before its answer."""
        timeline = Timeline(call, posted_ms)
        self._by_reference[reference] = self._by_place[timeline.place] = timeline
        if len(self._by_reference) > REMEMBERED:
            self._forget(next(iter(self._by_reference)))
        return timeline

    def apply(self, event: Event) -> Timeline | None:
        """The timeline that an event belongs to; None for somebody else's incident."""
        if event["type"] == "IncidentOpened":
            opened = self._by_reference.get(event["data"]["reference"])
            if opened is not None:
                self._by_incident[event["incident_id"]] = opened
        timeline = self._by_incident.get(event["incident_id"])
        if timeline is not None:
            timeline.apply(event)
            self.changed.set()
        return timeline

    def hear(self, heard: Heard) -> None:
        timeline = self._by_place.get(heard.place)
        if timeline is not None:
            timeline.hear(heard)
            self.changed.set()

    def _forget(self, reference: str) -> None:
        timeline = self._by_reference.pop(reference)
        if self._by_place.get(timeline.place) is timeline:
            del self._by_place[timeline.place]
        if timeline.incident_id is not None:
            self._by_incident.pop(timeline.incident_id, None)
