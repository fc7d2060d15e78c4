"""What a demo does once everything runs: one incident from report to stand-down, or a replay without end."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from time import time
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live

from simulations.calls import Call
from simulations.demo.control_room import Refused
from simulations.demo.feed import follow
from simulations.demo.incident_board import IncidentBoard
from simulations.demo.live_view import TerminalView
from simulations.demo.narration import LineView
from simulations.demo.stage import Stage
from simulations.demo.timeline import Event, Timeline
from simulations.demo.timeline_json import alert_json, timings_json

SETTLE_S_MAX = 60.0
"""How long one incident may take until somebody arrived and the others were told: then it is closed."""
AFTER_CLOSE_S_MAX = 5.0
WAIT_S_MAX = 15.0
"""A longer wait between two calls, at the replay's speed, is cut to this."""
AMBULANCE_S = 491.0
"""8:11 min from call to ambulance (Stockholm 2023), in life; then the control room closes the incident."""
LIVE_MAX = 50
"""As many incidents at once; the next call waits for one to close."""


class View(Protocol):
    """Somebody's way of watching."""

    def on_event(self, event: Event, timeline: Timeline) -> None:
        """The timeline has just taken this event."""


async def show_one(
    on_stage: Stage, call: Call, source: str, say: Callable[[str], None], as_json: bool
) -> dict[str, Any]:
    """Report one call, wait until it is settled, close it; its whole timeline."""
    room, board = on_stage.control_room, on_stage.board
    async with _watching(on_stage, source, say, lines=as_json):
        timeline = await _report(on_stage, call)
        await _until(lambda: _settled(timeline), board, SETTLE_S_MAX)
        incident_id = timeline.incident_id
        if incident_id is None:
            raise Refused("the incident never came over the feed")
        await room.close(incident_id)
        await _until(lambda: timeline.ended and _all_told(timeline), board, AFTER_CLOSE_S_MAX)
        incident, events = await room.incident(incident_id), await room.events(incident_id)
        timeline.identify(incident)
    return _whole(on_stage, timeline, source, incident, events)


async def replay(
    on_stage: Stage, calls: Sequence[Call], speed: float, source: str, say: Callable[[str], None]
) -> None:
    """Call after call in their own rhythm, until interrupted or none is left."""
    say(f"try it: curl -H 'Authorization: Bearer {on_stage.key}' {on_stage.service.url}/v1/incidents")
    room = asyncio.Semaphore(LIVE_MAX)
    before_s = calls[0].at_s
    async with _watching(on_stage, source, say, lines=False), asyncio.TaskGroup() as living:
        for call in calls:
            await asyncio.sleep(min((call.at_s - before_s) / speed, WAIT_S_MAX))
            before_s = call.at_s
            await room.acquire()
            living.create_task(_live_through(on_stage, call, AMBULANCE_S / speed, room, say))


@asynccontextmanager
async def _watching(
    on_stage: Stage, source: str, say: Callable[[str], None], lines: bool
) -> AsyncIterator[None]:
    """Follow the feed from where it now is, so that nothing reported inside can be missed, and show it.

    What breaks in the background breaks what is inside; the first of several errors is raised, alone.
    """
    position = await on_stage.control_room.feed_position()
    with ExitStack() as ending:
        try:
            async with asyncio.TaskGroup() as background:
                view: View = LineView(say, on_stage.residents)
                tasks = [background.create_task(on_stage.service.watch())]
                if not lines and sys.stderr.isatty():
                    live = ending.enter_context(Live(console=Console(stderr=True), auto_refresh=False))
                    view = terminal = TerminalView(on_stage, source, live)
                    tasks.append(background.create_task(terminal.keep_drawing()))
                    ending.callback(terminal.draw)
                tasks.append(background.create_task(_follow(on_stage, view, position)))
                yield
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as group:
            raise _first(group) from None


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


async def _live_through(
    on_stage: Stage, call: Call, ambulance_s: float, room: asyncio.Semaphore, say: Callable[[str], None]
) -> None:
    try:
        timeline = await _report(on_stage, call)
        await asyncio.sleep(ambulance_s)
        if timeline.incident_id is not None:
            await on_stage.control_room.close(timeline.incident_id)
    except Refused as refused:
        say(f"[{call.reference}] {refused}")
    finally:
        room.release()


async def _report(on_stage: Stage, call: Call) -> Timeline:
    posted_ms = int(time() * 1000)
    reference = f"{call.reference}-{posted_ms:x}"
    timeline = on_stage.board.expect(call, reference, posted_ms)
    incident = await on_stage.control_room.report(call, reference)
    timeline.created_ms = int(time() * 1000) - posted_ms
    timeline.identify(incident)
    return timeline


async def _follow(on_stage: Stage, view: View, position: str) -> None:
    async for event in follow(on_stage.control_room.http, position):
        timeline = on_stage.board.apply(event)
        if timeline is None:
            continue
        if event["type"] == "AlertRequested":
            await _identify(on_stage, timeline, event["data"]["n"])
        view.on_event(event, timeline)


async def _identify(on_stage: Stage, timeline: Timeline, n: int) -> None:
    """Events name no medic; the incident does. Asked once a wave: with its first event all of it is there."""
    if timeline.alerts[n].medic_id is None and timeline.incident_id is not None:
        with suppress(Refused):
            timeline.identify(await on_stage.control_room.incident(timeline.incident_id))


def _settled(timeline: Timeline) -> bool:
    """Covered, somebody arrived, somebody stood down and all of those told, an SMS on a phone."""
    alerts = timeline.alerts.values()
    return (
        timeline.covered_ms is not None
        and any(alert.state == "arrived" for alert in alerts)
        and any(alert.stood_down_ms is not None for alert in alerts)
        and any("sms" in alert.channels() and alert.received_ms is not None for alert in alerts)
        and _all_told(timeline)
    )


def _all_told(timeline: Timeline) -> bool:
    """Every stand-down that was sent to a phone is on it, or has failed."""
    sent = [
        note
        for alert in timeline.alerts.values()
        for note in alert.notifications.values()
        if note.purpose == "stand_down"
    ]
    return all(note.delivered_ms is not None or note.failed_ms is not None for note in sent)


async def _until(holds: Callable[[], bool], board: IncidentBoard, timeout_s: float) -> None:
    """Wait for something to hold, at most so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            while not holds():
                board.changed.clear()
                await board.changed.wait()


def _whole(
    on_stage: Stage, timeline: Timeline, source: str, incident: dict[str, Any], events: list[Event]
) -> dict[str, Any]:
    by_sms = sum(not resident.has_app for resident in on_stage.residents.values())
    return {
        "source": {"from": source, "call": timeline.call.reference, "says": timeline.call.title},
        "medics": {
            "registered": len(on_stage.residents),
            "on_sockets": on_stage.medics.connected,
            "sms_only": by_sms,
            "note": "made up, spread by the places of the calls with jitter",
        },
        "incident": {name: value for name, value in incident.items() if name != "alerts"},
        "alerts": [alert_json(alert, on_stage.residents) for alert in timeline.by_eta()],
        "sms_sent": on_stage.texts_sent(),
        "timings": timings_json(timeline),
        "started_s": on_stage.started_s,
        "events": events,
    }
