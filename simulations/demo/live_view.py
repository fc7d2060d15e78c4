"""What somebody sees who watches a terminal: one incident at a time in full, the others a line each."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import time

from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from simulations.demo.narration import ANSWERS, STAND_DOWN_REASONS, channel, distance, seconds
from simulations.demo.stage import Stage
from simulations.demo.timeline import AlertLine, Event, Timeline
from simulations.population import Resident

OTHERS_SHOWN = 8
ALERTS_SHOWN = 14
DRAW_EVERY_S = 0.25
WIDE_COLUMNS = 110
"""A narrower terminal shows fewer columns: rich would leave out the last, who comes and who is stood down."""
FOCUS_MS = 20_000
"""How long one incident is shown in full, unless it ends sooner."""

STYLES = {
    "accepted": "bold green",
    "arrived": "bold green",
    "finished": "green",
    "declined": "red",
    "stood_down": "yellow",
    "expired": "dim",
    "failed": "dim red",
}
STATES = {
    "requested": "alerted",
    "sent": "alerted",
    "delivered": "on her phone",
    "seen": "seen, no answer yet",
    "accepted": "on the way",
    "arrived": "on the scene",
    "finished": "done",
    "declined": "cannot come",
    "expired": "no answer in time",
    "failed": "could not be reached",
}


@dataclass(slots=True)
class Focus:
    """Which incident is shown in full: the same one until it ends or has been shown for `FOCUS_MS`."""

    shown: Timeline | None = None

    def choose(self, timelines: list[Timeline], now_ms: int) -> Timeline | None:
        shown = self.shown
        if shown is None or shown.ended or now_ms - shown.posted_ms > FOCUS_MS:
            self.shown = timelines[-1] if timelines else None
        return self.shown


class TerminalView:
    """A screen that is drawn anew a few times a second."""

    def __init__(self, on_stage: Stage, source: str, live: Live) -> None:
        self._stage = on_stage
        self._source = source
        self._live = live
        self._focus = Focus()

    def on_event(self, event: Event, timeline: Timeline) -> None:
        """Drawing waits for its turn."""

    async def keep_drawing(self) -> None:
        while True:
            self.draw()
            await asyncio.sleep(DRAW_EVERY_S)

    def draw(self) -> None:
        now_ms = int(time() * 1000)
        timelines = self._stage.board.timelines
        focus = self._focus.choose(timelines, now_ms)
        notes = [
            f"{self._source}. The medics are made up, spread by the same places.",
            f"{self._stage.medics.connected:,} medics on sockets, {self._stage.texts_sent():,} SMS.  "
            f"Times count from the report.  {self._stage.service.url}/docs  Ctrl-C ends it.",
        ]
        wide = self._live.console.width >= WIDE_COLUMNS
        self._live.update(
            picture("Who is coming", notes, timelines, focus, self._stage.residents, now_ms, wide=wide),
            refresh=True,
        )


def picture(
    title: str,
    notes: list[str],
    timelines: list[Timeline],
    focus: Timeline | None,
    residents: Mapping[str, Resident],
    now_ms: int,
    *,
    wide: bool,
) -> RenderableType:
    """The whole screen. Times count from the moment the control room reported."""
    parts: list[RenderableType] = [Text(line, style="dim") for line in notes]
    if focus is not None:
        parts.append(_in_full(focus, residents, now_ms, wide))
    others = [timeline for timeline in timelines if timeline is not focus][-OTHERS_SHOWN:]
    if others:
        parts.append(_in_short(others[::-1], now_ms))
    return Panel(Group(*parts), title=f"[bold]{title}[/bold]", border_style="blue")


def _in_full(
    timeline: Timeline, residents: Mapping[str, Resident], now_ms: int, wide: bool
) -> RenderableType:
    table = Table(expand=True, title=_headline(timeline, now_ms), title_justify="left")
    fixed = ("medic", "how far", "there in", "over", "on phone", "seen") if wide else ("medic", "on phone")
    for heading in fixed:
        table.add_column(heading, no_wrap=True)
    if wide:
        table.add_column("answer", ratio=2)
    table.add_column("now", ratio=3)
    cells = _cells if wide else _few_cells
    for alert in timeline.by_eta()[:ALERTS_SHOWN]:
        table.add_row(*cells(alert, residents), style=STYLES.get(alert.state, ""))
    return table


def _headline(timeline: Timeline, now_ms: int) -> Text:
    going = timeline.on_the_way()
    state = "covered" if timeline.covered_ms is not None and not timeline.ended else timeline.state
    alone_ms = timeline.nobody_found_ms
    if state == "open" and alone_ms is not None and not timeline.asked_since(alone_ms):
        state = "open, nobody left to ask"
    head = Text(f"{timeline.call.title}  ", style="bold")
    head.append(f"{timeline.call.kind.replace('_', ' ')} at {timeline.place}\n", style="not bold")
    head.append(f"reported {seconds(now_ms - timeline.posted_ms)} ago, ", style="not bold")
    head.append(f"{state}", style="bold green" if state == "covered" else "bold yellow")
    head.append(f", {len(timeline.alerts)} alerted, {going} on the way or there", style="not bold")
    return head


def _cells(alert: AlertLine, residents: Mapping[str, Resident]) -> tuple[str, ...]:
    resident = residents.get(alert.medic_id or "")
    who = f"{resident.name}, by {_travelling(resident)}" if resident is not None else f"alert {alert.n}"
    return (
        who,
        distance(alert.distance_m),
        f"{alert.eta_s} s",
        _over(alert),
        seconds(_received_ms(alert)),
        seconds(alert.seen_ms),
        _answer(alert),
        _now(alert) + _phone_told(alert),
    )


def _few_cells(alert: AlertLine, residents: Mapping[str, Resident]) -> tuple[str, ...]:
    resident = residents.get(alert.medic_id or "")
    who = f"{resident.name}, {alert.eta_s} s away" if resident is not None else f"alert {alert.n}"
    answered = bool(alert.answers) and alert.state != "stood_down"
    return who, f"{seconds(_received_ms(alert))}, {_over(alert)}", _answer(alert) if answered else _now(alert)


def _over(alert: AlertLine) -> str:
    return ", ".join(channel(name) for name in alert.channels()) or "-"


def _received_ms(alert: AlertLine) -> int | None:
    return alert.received_ms if alert.received_ms is not None else alert.delivered_ms


def _travelling(resident: Resident) -> str:
    return {"foot": "foot", "bicycle": "bike", "car": "car"}[resident.mode]


def _answer(alert: AlertLine) -> str:
    if not alert.answers:
        return "-"
    word, over, ms = alert.answers[-1]
    told = f"{seconds(ms)}, {channel(over)}" if over else seconds(ms)
    return f"{ANSWERS.get(word, word)} ({told})"


def _now(alert: AlertLine) -> str:
    if alert.state != "stood_down":
        return STATES.get(alert.state, alert.state)
    reason = STAND_DOWN_REASONS.get(alert.stand_down_reason or "", alert.stand_down_reason)
    return f"stood down at {seconds(alert.stood_down_ms)}: {reason}"


def _phone_told(alert: AlertLine) -> str:
    told_ms = alert.stand_down_received_ms
    return f", phone told after {seconds(told_ms)}" if alert.state == "stood_down" and told_ms else ""


def _in_short(timelines: list[Timeline], now_ms: int) -> RenderableType:
    table = Table(expand=True, title="Other incidents", title_justify="left", show_edge=False)
    for heading in ("reported", "what", "state", "alerted", "first phone", "on the way"):
        table.add_column(heading, no_wrap=True, ratio=1 if heading == "what" else None)
    for timeline in timelines:
        phones = [alert.received_ms for alert in timeline.alerts.values() if alert.received_ms is not None]
        table.add_row(
            f"{seconds(now_ms - timeline.posted_ms)} ago",
            timeline.call.title,
            "covered" if timeline.covered_ms is not None and not timeline.ended else timeline.state,
            str(len(timeline.alerts)),
            seconds(min(phones, default=None)),
            str(timeline.on_the_way()),
        )
    return table
