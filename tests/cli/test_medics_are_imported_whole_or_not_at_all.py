"""``dispatch medics import`` and ``token``, while the service serves."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dispatch.cli.medics_import import UnusableFile, read_medics
from dispatch.store import medics
from tests.cli.conftest import Cli
from tests.http_client import http_client

HEADER = "name,phone,language,skills,mode,home_lat,home_lon"
GOOD = "Anna,+31611111111,nl,,,,"


async def test_an_id_a_row_in_the_files_order_with_all_that_the_row_says(
    cli: Cli, medics_csv: Any, pool: asyncpg.Pool
) -> None:
    file = medics_csv(
        HEADER,
        "Anna,+31611111111,en,nurse bls,bicycle,52.09,5.12",
        '"de Vries, Bob",+31611111112,,"nurse, bls",,,',
    )
    done = await cli.run("medics", "import", file, "--available")
    assert (done.code, done.err) == (0, "")
    anna, bob = [await medics.get(pool, medic_id) for medic_id in done.out.split()]
    assert anna is not None
    assert bob is not None
    assert (anna.name, anna.phone, anna.language, anna.skills) == (
        "Anna",
        "+31611111111",
        "en",
        ("nurse", "bls"),
    )
    assert (anna.mode, anna.places[0].lat, anna.places[0].hours) == ("bicycle", 52.09, ())
    assert (bob.name, bob.language, bob.skills, bob.mode, bob.places) == (
        "de Vries, Bob",
        "nl",
        ("nurse", "bls"),
        "foot",
        (),
    )
    assert (anna.available, anna.verified) == (True, True)


async def test_without_the_flag_nobody_is_available(cli: Cli, medics_csv: Any, pool: asyncpg.Pool) -> None:
    done = await cli.ask("medics", "import", medics_csv("name,phone", "Anna,+31611111111"), "--json")
    [medic_id] = json.loads(done.out)
    medic = await medics.get(pool, medic_id)
    assert medic is not None
    assert not medic.available


async def test_no_rows_no_ids(cli: Cli, medics_csv: Any) -> None:
    done = await cli.ask("medics", "import", medics_csv("name,phone"))
    assert (done.code, done.out) == (0, "")


FAULTS = [
    ([HEADER, GOOD, "Bob,0612345678,nl,,,,"], "line 3: phone"),
    ([HEADER, GOOD, ",+31611111112,nl,,,,"], "line 3: name: is missing"),
    ([HEADER, "Bob,+31611111112,nl,,,95,5"], "line 2: home_lat: must be at most 90"),
    ([HEADER, "Bob,+31611111112,nl,,,52,"], "line 2: home_lat and home_lon belong together"),
    ([HEADER, "Bob,+31611111112,de,,,,"], "line 2: language"),
    ([HEADER, "Bob,+31611111112,nl,Two-Words,,,"], "line 2: skills[0]"),
    ([HEADER, "Bob,+31611111112,nl,,,,,,"], "line 2: has more fields than the header"),
    (["name,phone,shoe_size", "Anna,+31611111111,38"], "shoe_size"),
    ([HEADER, "A\0nna,+31611111111,nl,,,,"], "line 2: name: must hold no control characters"),
    ([HEADER, "A\x9bnna,+31611111111,nl,,,,"], "line 2: name: must hold no control characters"),
    ([HEADER, "Anna,0611111111,nl,,,,"], "line 2: phone: must be a phone number such as +31612345678"),
    (["name", "Anna"], "no column phone"),
    (["name;phone", "Anna;+31611111111"], "no column name: the first line names the columns, with commas"),
    (["name,phone,phone", "Anna,+31611111111,+31611111112"], "column phone stands twice"),
]


def test_a_fault_is_told_by_its_line_and_field(medics_csv: Any) -> None:
    for rows, told in FAULTS:
        with pytest.raises(UnusableFile, match=re.escape(told)):
            read_medics(Path(medics_csv(*rows)), available=True)


async def test_one_fault_and_nobody_is_imported(cli: Cli, medics_csv: Any, pool: asyncpg.Pool) -> None:
    done = await cli.ask("medics", "import", medics_csv(HEADER, GOOD, "Bob,0612345678,nl,,,,"))
    assert (done.code, done.out) == (1, "")
    assert "line 3: phone" in done.err
    assert "0612345678" not in done.err
    assert "Traceback" not in done.err
    done = await cli.ask("medics", "import", medics_csv(HEADER, GOOD, GOOD.replace("Anna", "Bob")))
    assert done.code == 1
    assert "stand here twice: 2, 3" in done.err
    assert await pool.fetchval("select count(*) from medic") == 0


async def test_a_phone_that_is_registered_is_told_by_its_line_and_not_by_itself(
    cli: Cli, medics_csv: Any, pool: asyncpg.Pool
) -> None:
    file = medics_csv("name,phone", "Anna,+31611111111")
    assert (await cli.ask("medics", "import", file)).code == 0
    file = medics_csv("name,phone", "Bob,+31611111112", "Anna again,+31611111111")
    done = await cli.ask("medics", "import", file)
    assert done.code == 1
    assert "these lines are registered already" in done.err
    assert done.err.rstrip().endswith("twice: 3")
    assert "+31611111111" not in done.err
    assert await pool.fetchval("select count(*) from medic") == 1


async def test_a_running_service_knows_them_and_takes_their_tokens(cli: Cli, medics_csv: Any) -> None:
    async with cli.serving() as served, http_client(base_url=served.url) as client:
        file = medics_csv("name,phone", "A,+31611111111", "B,+31611111112")
        ids = (await cli.ask("medics", "import", file)).out.split()
        printed = await cli.run("medics", "token", *ids)
        tokens = dict(line.split(" ") for line in printed.out.splitlines())
        assert list(tokens) == ids
        for medic_id, token in tokens.items():
            answer = await client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
            assert answer.json()["medic_id"] == medic_id
        async with asyncio.timeout(5):
            while "dispatch_medics 2.0" not in (await client.get("/metrics")).text:
                await asyncio.sleep(0.05)


async def test_a_token_for_nobody_is_told(cli: Cli, medics_csv: Any) -> None:
    ids = (await cli.ask("medics", "import", medics_csv("name,phone", "A,+31611111111"))).out.split()
    done = await cli.ask("medics", "token", "nobody", *ids)
    assert done.code == 1
    assert done.out.split()[0] == ids[0]
    assert "nobody" in done.err
