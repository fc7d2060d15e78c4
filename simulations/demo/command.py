"""`dispatch demo`: real collisions become alerts on simulated medics' phones, through the real service.

What is real: the service, Postgres, HTTP, sockets, Twilio's own library, and the places, weekdays and hours
of 16,915 road collisions in Dublin. What is made up: the medics (spread by the same places with jitter),
what they do (drawn by key, see `behaviour`), and the telephone network (a double of Twilio on this machine).
"""

import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic

import uvloop

from simulations import collisions
from simulations.behaviour import Behaviour
from simulations.calls import Call, CallColumns, UnusableFile, read_calls
from simulations.demo.control_room import Refused, Unanswered
from simulations.demo.open_files import TooFewOpenFiles, make_room
from simulations.demo.registration import OtherMedics
from simulations.demo.runs import replay, show_one
from simulations.demo.service_process import PortBusy, ServiceFailed, free_port
from simulations.demo.showcase import choose
from simulations.demo.stage import stage
from simulations.demo.virtual_medics import TokenRefused
from simulations.population import MEDICS_MAX, Resident, spread

DONE, FAILED, WRONG_USE = 0, 1, 2
LIVE_PORT = 8000


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line can set."""

    once: bool = False
    """Handle one incident, then stop."""
    as_json: bool = False
    """With `once`: the timeline on stdout."""
    port: int | None = None
    """The service's; 0: any free one; None: 8000, and any free one with `once`."""
    medics: int = 2_000
    app_share: float = 0.85
    """So many of the medics have the app on a socket; an SMS is all that reaches the others."""
    speed: float = 10.0
    """How many times faster than life calls come and people act. The service itself runs in real time."""
    seed: int = 1
    calls: Path | None = None
    """A CSV of other emergency calls; None: collisions in Dublin."""
    columns: CallColumns = field(default_factory=CallColumns)
    data_dir: Path | None = None
    """Where Postgres lives and stays; None: a temporary directory."""


def run(options: DemoOptions) -> int:
    """Runs until done or interrupted; the exit status. Says what is wrong in one line on stderr."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_interruptible(options))
    except (UnusableFile, PortBusy, OtherMedics, TooFewOpenFiles, _WrongUse) as error:
        _say(f"dispatch demo: {error}")
        return WRONG_USE
    except (ServiceFailed, Refused, Unanswered, TokenRefused, TimeoutError, OSError) as error:
        _say(f"dispatch demo: {error or type(error).__name__}")
        return FAILED


class _WrongUse(Exception):
    """An option that cannot be."""


async def _interruptible(options: DemoOptions) -> int:
    """Ctrl-C, SIGTERM and a closed terminal end the demo in order, once; a second one waits for the first."""
    running = asyncio.current_task()
    stop = partial(_stop_once, running, [])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        return await _demo(options)
    except asyncio.CancelledError:
        _say("stopped: the service, Postgres and the medics are gone")
        return FAILED if options.once else DONE


def _stop_once(running: "asyncio.Task[int] | None", asked: list[bool]) -> None:
    if not asked and running is not None:
        running.cancel()
        _say("stopping ...")
    asked.append(True)


async def _demo(options: DemoOptions) -> int:
    began = monotonic()
    _check(options)
    calls, source = _calls(options)
    port = free_port(_port(options))
    places = [(call.lat, call.lon) for call in calls]
    residents = spread(places, options.medics, options.seed, options.app_share)
    make_room(sum(one.has_app for one in residents))
    behaviour = Behaviour(options.seed, pace=options.speed)
    with ExitStack() as cleaning:
        data_dir = _data_dir(options, cleaning)
        _say(f"{source}; the medics are made up and spread by the same places")
        async with stage(data_dir, port, residents, behaviour, _say) as on_stage:
            on_stage.started_s["total"] = round(monotonic() - began, 2)
            _say(_started(on_stage.started_s, on_stage.medics.connected, residents))
            if not options.once:
                await replay(on_stage, calls, options.speed, source, _say)
                return DONE
            shown = await show_one(
                on_stage, choose(calls, residents, behaviour), source, _say, options.as_json
            )
            if options.as_json:
                sys.stdout.write(json.dumps(shown, indent=2) + "\n")
            return DONE if any(alert["delivered_ms"] is not None for alert in shown["alerts"]) else FAILED


def _check(options: DemoOptions) -> None:
    if not 1 <= options.medics <= MEDICS_MAX:
        raise _WrongUse(f"--medics must be between 1 and {MEDICS_MAX:,}")
    if not 0.1 <= options.speed <= 1_000:
        raise _WrongUse("--speed must be between 0.1 and 1000")
    if options.as_json and not options.once:
        raise _WrongUse("--json needs --once")


def _calls(options: DemoOptions) -> tuple[Sequence[Call], str]:
    if options.calls is None:
        dublin = collisions.as_calls(collisions.read_collisions(collisions.DUBLIN), options.seed)
        return dublin, f"{len(dublin):,} real road collisions in Dublin, 2005 to 2016"
    held = read_calls(options.calls, options.columns)
    _say(held.report())
    return held.calls, f"{len(held.calls):,} emergency calls from {options.calls.name}"


def _port(options: DemoOptions) -> int:
    if options.port is not None:
        return options.port
    return 0 if options.once else LIVE_PORT


def _data_dir(options: DemoOptions, cleaning: ExitStack) -> Path:
    if options.data_dir is None:
        return Path(cleaning.enter_context(tempfile.TemporaryDirectory(prefix="dispatch-demo-")))
    options.data_dir.mkdir(parents=True, exist_ok=True)
    return options.data_dir


def _started(took_s: dict[str, float], connected: int, residents: Sequence[Resident]) -> str:
    by_sms = sum(not one.has_app for one in residents)
    parts = f"service and Postgres {took_s['service']:.1f}, medics {took_s['medics']:.1f}"
    parts += f", sockets {took_s['sockets']:.1f}"
    reach = f"{connected:,} medics on sockets, {by_sms:,} by SMS only"
    return f"ready in {took_s['total']:.1f} s ({parts}): {reach}"


def _say(line: str) -> None:
    with suppress(OSError):  # nobody reads any more; the demo still has to end in order
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
