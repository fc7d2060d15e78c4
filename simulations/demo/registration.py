"""The demo's medics and its key, made by the service's own commands, once per data directory."""

import asyncio
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from simulations.demo.service_process import ServiceProcess
from simulations.demo.virtual_medics import Registered
from simulations.population import Resident, write_csv

CONTROL_ROOM = "Demo"
SCOPES = "incidents:write,incidents:read,medics:manage"
TOKENS_AT_ONCE = 4_000
"""Ids per command line, about 100 KB: far below the 2 MB that Linux takes, and the 1 MB of macOS."""


class OtherMedics(Exception):
    """The data directory holds a demo with other medics."""


async def registered_medics(
    service: ServiceProcess, data_dir: Path, residents: Sequence[Resident]
) -> tuple[str, list[Registered]]:
    """A key, and everybody's id and token; from the data directory where an earlier demo left them.

    Raises `OtherMedics` when those were others.
    """
    csv_path, kept_path = data_dir / "medics.csv", data_dir / "demo.json"
    write_csv(residents, csv_path)
    fingerprint = sha256(csv_path.read_bytes()).hexdigest()
    if kept_path.exists():
        kept = json.loads(kept_path.read_text())
    else:
        kept = {"medics_csv": fingerprint} | await _register(service, csv_path, residents)
        kept_path.touch(mode=0o600)  # it holds keys, if only a demo's
        kept_path.write_text(json.dumps(kept))
    if kept["medics_csv"] != fingerprint:
        raise OtherMedics(f"{data_dir} holds other medics; use the same --medics and --seed, or another one")
    tokens = kept["tokens"]
    pairs = zip(kept["ids"], residents, strict=True)
    return kept["key"], [Registered(one, medic_id, tokens.get(medic_id)) for medic_id, one in pairs]


async def _register(service: ServiceProcess, csv_path: Path, residents: Sequence[Resident]) -> dict[str, Any]:
    key, printed = await asyncio.gather(
        service.command("keys", "create", "--control-room", CONTROL_ROOM, "--scopes", SCOPES),
        service.command("medics", "import", str(csv_path), "--available"),
    )
    ids = printed.split()
    with_app = [medic_id for medic_id, one in zip(ids, residents, strict=True) if one.has_app]
    return {"key": key.strip(), "ids": ids, "tokens": await _tokens(service, with_app)}


async def _tokens(service: ServiceProcess, ids: Sequence[str]) -> dict[str, str]:
    tokens: dict[str, str] = {}
    for start in range(0, len(ids), TOKENS_AT_ONCE):
        printed = await service.command("medics", "token", *ids[start : start + TOKENS_AT_ONCE])
        tokens |= dict(line.split() for line in printed.splitlines())
    return tokens
