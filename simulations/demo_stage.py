"""Everything that a demo needs running: Twilio's double, the real service, its medics and a control room."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from time import monotonic

from simulations.behaviour import Behaviour
from simulations.control_room import ControlRoom
from simulations.incident_board import IncidentBoard
from simulations.population import Resident, write_csv
from simulations.service_process import ServiceProcess
from simulations.twilio_double import TwilioDouble
from simulations.twilio_double.double import AUTH_TOKEN
from simulations.virtual_medics import Registered, VirtualMedics

CONTROL_ROOM = "Demo"
SCOPES = "incidents:write,incidents:read,medics:manage"
TEXT_IN_TRANSIT_S = 0.4
TOKENS_AT_ONCE = 1_000


class OtherMedics(Exception):
    """The data directory holds a demo with other medics."""


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
            say(f"registering {len(residents):,} made-up medics ...")
            key, registered = await _registered(service, data_dir, residents)
            took.lap("medics")
            board = IncidentBoard()
            medics = VirtualMedics(service.url, registered, behaviour, DoublePhones(twilio), board.hear)
            try:
                await medics.start()
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


async def _registered(
    service: ServiceProcess, data_dir: Path, residents: Sequence[Resident]
) -> tuple[str, list[Registered]]:
    """A key and everybody's id and token; from the data directory where an earlier demo left them."""
    csv_path, kept_path = data_dir / "medics.csv", data_dir / "demo.json"
    write_csv(residents, csv_path)
    fingerprint = sha256(csv_path.read_bytes()).hexdigest()
    if kept_path.exists():
        kept = json.loads(kept_path.read_text())
        if kept["medics_csv"] != fingerprint:
            raise OtherMedics(
                f"{data_dir} holds other medics; use the same --medics and --seed, or another one"
            )
        key, ids, tokens = kept["key"], kept["ids"], kept["tokens"]
    else:
        key = (
            await service.command("keys", "create", "--control-room", CONTROL_ROOM, "--scopes", SCOPES)
        ).strip()
        ids = (await service.command("medics", "import", str(csv_path), "--available")).split()
        tokens = await _tokens(service, [id_ for id_, one in zip(ids, residents, strict=True) if one.has_app])
        kept_path.touch(mode=0o600)
        kept_path.write_text(
            json.dumps({"medics_csv": fingerprint, "key": key, "ids": ids, "tokens": tokens})
        )
    registered = [Registered(one, id_, tokens.get(id_)) for id_, one in zip(ids, residents, strict=True)]
    return key, registered


async def _tokens(service: ServiceProcess, ids: Sequence[str]) -> dict[str, str]:
    tokens: dict[str, str] = {}
    for start in range(0, len(ids), TOKENS_AT_ONCE):
        printed = await service.command("medics", "token", *ids[start : start + TOKENS_AT_ONCE])
        tokens |= dict(line.split() for line in printed.splitlines())
    return tokens
