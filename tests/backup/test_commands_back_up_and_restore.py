"""`dispatch db backup` of a service that runs, and `restore` into an empty data dir: as an operator does."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.test_commands_say_what_is_wrong_in_one_line import one_line
from tests.dispatcher.town import some_medics


@pytest.fixture
def embedded() -> Cli:
    """Commands without a DSN."""
    return Cli()


async def test_into_an_empty_data_dir(start_town, database_url: str, embedded: Cli, tmp_path: Path) -> None:
    town = await start_town()
    await town.add(some_medics(3))
    await town.report()
    by_dsn = Cli(DISPATCH_DATABASE_URL=database_url)
    file, data_dir = str(tmp_path / "b"), ("--data-dir", str(tmp_path / "data"))
    done = await by_dsn.run("db", "backup", file, "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert (told["rows"]["incident"], told["rows"]["medic"]) == (1, 3)

    done = await embedded.run("db", "restore", file, "--json", *data_dir)
    assert done.code == 0, done.err
    assert json.loads(done.out) == told
    assert one_line(done.err) == "dispatch: restored, and paused: see `dispatch db resume`"

    done = await embedded.ask("db", "backup", str(tmp_path / "again"), "--json", *data_dir)
    assert json.loads(done.out)["rows"] == told["rows"]

    for words, code, said in (
        (("db", "restore", file, *data_dir), 1, "is not empty"),
        (("db", "backup", file, *data_dir), 1, "is there already"),
        (("db", "restore", __file__, "--data-dir", str(tmp_path / "new")), 1, "is no backup"),
        (("db", "restore", str(tmp_path / "none"), *data_dir), 2, None),
        (("db", "backup", *data_dir), 2, None),
        (("db", "backup", str(tmp_path / "no" / "folder"), *data_dir), 1, "No such file"),
    ):
        done = await embedded.ask(*words)
        assert (done.code, done.out) == (code, ""), words
        assert said is None or said in one_line(done.err)
    assert not (tmp_path / "new").exists(), "no data dir is made for a file that can not be restored"
