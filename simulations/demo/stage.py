"""Everything that a demo needs running: Twilio's double, the service, medics and a control room."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from simulations.behaviour import Behaviour
from simulations.demo.control_room import ControlRoom
from simulations.demo.incident_board import IncidentBoard
from simulations.demo.registration import registered_medics
from simulations.demo.service_process import ServiceProcess
from simulations.demo.virtual_medics import VirtualMedics
from simulations.population import Resident
from simulations.twilio_double import TwilioDouble
from simulations.twilio_double.double import AUTH_TOKEN

TEXT_IN_TRANSIT_S = 0.4
RECONNECT_GRACE_S = 5.5
"""`docs/api.md`: for 5 s after a start every medic may have a socket that is about to come back."""


@dataclass(slots=True)
class Stage:
    """What is running. `started_s`: how long each part took to start."""

    service: ServiceProcess
    control_room: ControlRoom
    key: str
    twilio: TwilioDouble
    medics: VirtualMedics
    residents: Mapping[str, Resident]
    board: IncidentBoard
    started_s: dict[str, float] = field(default_factory=dict)

    def texts_sent(self) -> int:
        """SMS that the service handed over, answers to them not counted."""
        return sum(text.direction.startswith("outbound") for text in self.twilio.messages)


class DoublePhones:
    """The double's virtual phones, for those who carry them."""

    def __init__(self, twilio: TwilioDouble) -> None:
        self._twilio = twilio

    def on_text(self, number: str, hear: Callable[[str], None]) -> None:
        self._twilio.phone(number).on_text = lambda text: hear(text.body)

    async def reply(self, number: str, text: str) -> None:
        await self._twilio.phone(number).reply(text)


@asynccontextmanager
async def stage(
    data_dir: Path,
    port: int,
    residents: Sequence[Resident],
    behaviour: Behaviour,
    say: Callable[[str], None],
) -> AsyncIterator[Stage]:
    """Start all of it, and stop all of it in the reverse order."""
    took = _StopWatch()
    async with TwilioDouble(live=True) as twilio:
        twilio.transit_s = TEXT_IN_TRANSIT_S
        say("starting Postgres and the service ...")
        async with ServiceProcess(data_dir, port, _twilio_settings(twilio)) as service:
            twilio.reply_url = f"{service.url}/v1/twilio/sms"
            took.lap("service")
            ready_at = monotonic()
            say(f"registering {len(residents):,} made-up medics ...")
            key, registered = await registered_medics(service, data_dir, residents)
            took.lap("medics")
            board = IncidentBoard()
            medics = VirtualMedics(service.url, registered, behaviour, DoublePhones(twilio), board.hear)
            try:
                await medics.start()
                # A service that has just started waits for sockets to come back before it sends SMS.
                await asyncio.sleep(max(0.0, RECONNECT_GRACE_S - (monotonic() - ready_at)))
                took.lap("sockets")
                async with ControlRoom(service.url, key) as control_room:
                    by_id = {one.medic_id: one.resident for one in registered}
                    yield Stage(service, control_room, key, twilio, medics, by_id, board, took.laps_s)
            finally:
                await medics.stop()


class _StopWatch:
    def __init__(self) -> None:
        self._since = monotonic()
        self.laps_s: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = monotonic()
        self.laps_s[name] = round(now - self._since, 2)
        self._since = now


def _twilio_settings(twilio: TwilioDouble) -> dict[str, str]:
    return {
        "DISPATCH_TWILIO_API_URL": twilio.url,
        "DISPATCH_TWILIO_ACCOUNT_SID": twilio.account_sid,
        "DISPATCH_TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "DISPATCH_TWILIO_FROM": twilio.number,
    }
