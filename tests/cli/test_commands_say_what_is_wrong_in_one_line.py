"""Exit codes and one line on stderr: 0 done, 1 failed, 2 wrong use."""

import json
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from dispatch.core.policy import digest, shipped
from dispatch.settings import Settings
from tests.cli.conftest import Cli, MakeCli


def one_line(err: str) -> str:
    """The last line, which is the only one that is not a log."""
    lines = [line for line in err.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, err
    return lines[0]


@pytest.fixture
def not_served(tmp_path: Path) -> dict[str, str]:
    """An environment in which the service can not even be imported."""
    folder = tmp_path / "instead"
    folder.mkdir()
    (folder / "uvicorn.py").write_text("raise SystemExit('the service is imported')")
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


async def test_help_is_there_for_every_command_and_explains_the_settings() -> None:
    cli = Cli()
    words = [[], ["keys"], ["keys", "create"], ["medics", "import"], ["policy", "check"], ["demo"]]
    words.append(["simulate"])
    for command in words:
        done = await cli.ask(*command, "--help")
        assert (done.code, done.err) == (0, ""), command
        assert done.out.startswith("Usage: "), command
    explained = await cli.run("serve", "--help")
    assert (explained.code, explained.err) == (0, "")
    for name in ("DATABASE_URL", "PUBLIC_URL", "TIME_ZONE", "TWILIO_FROM", "POLICY_FILE", "CODES_FILE"):
        assert f"DISPATCH_{name}" in explained.out


async def test_unknown_words_are_wrong_use() -> None:
    cli = Cli()
    for run, words in (
        (cli.run, ["dance"]),
        (cli.ask, ["serve", "--colour", "red"]),
        (cli.ask, ["serve", "--port", "99999"]),
        (cli.ask, ["policy", "check", "/no"]),
    ):
        done = await run(*words)
        assert (done.code, done.out) == (2, ""), words
        assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("DISPATCH_DATABASE_URL", "mysql://x", "DISPATCH_DATABASE_URL: is not a postgresql:// URL"),
        (
            "DISPATCH_DATABASE_URL",
            "postgresql://me:se/cret@host/db",
            "DISPATCH_DATABASE_URL: its port is no number",
        ),
        (
            "DISPATCH_DATABASE_URL",
            "postgresql://host:99999/db",
            "DISPATCH_DATABASE_URL: its port is no number",
        ),
        (
            "DISPATCH_DATABASE_URL",
            "postgresql://host,other:x/db",
            "DISPATCH_DATABASE_URL: its port is no number",
        ),
        ("DISPATCH_PUBLIC_URL", "https://example.org:x", "DISPATCH_PUBLIC_URL: its port is no number"),
        ("DISPATCH_KEY_REQUESTS_PER_S", "inf", "DISPATCH_KEY_REQUESTS_PER_S: Input should be less"),
        ("DISPATCH_DEVICE_REQUESTS_PER_S", "nan", "DISPATCH_DEVICE_REQUESTS_PER_S: Input should be"),
        ("DISPATCH_PUBLIC_URL", "example.org", "DISPATCH_PUBLIC_URL: is not an http(s) URL"),
        ("DISPATCH_TIME_ZONE", "Mars", "DISPATCH_TIME_ZONE: is not a time zone"),
        ("DISPATCH_TWILIO_ACCOUNT_SID", "AC1", "belong together"),
        ("DISPATCH_POLICY_FILE", "/nowhere.toml", "DISPATCH_POLICY_FILE: there is no file"),
    ],
)
async def test_a_setting_that_can_not_be_used_is_one_line_and_exit_2(
    setting: str, value: str, told: str
) -> None:
    done = await Cli(**{setting: value}).ask("serve", "--port", "0")
    assert done.code == 2
    assert told in one_line(done.err)
    assert "cret" not in done.err


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://a:1,b:2/db", "postgresql://a:1,b:2/db?target_session_attrs=read-write"),
        ("postgresql:///db?host=a,b", "postgresql:///db?host=a,b&target_session_attrs=read-write"),
        ("postgresql://a,b/db?target_session_attrs=any", "postgresql://a,b/db?target_session_attrs=any"),
        ("postgresql://me:x,y@a/db", "postgresql://me:x,y@a/db"),
    ],
)
def test_of_several_servers_the_one_that_takes_writes_is_used(given: str, used: str) -> None:
    url = Settings(database_url=SecretStr(given)).database_url
    assert url is not None
    assert url.get_secret_value() == used


async def test_a_setting_is_told_before_the_service_is_imported(not_served: dict[str, str]) -> None:
    done = await Cli(DISPATCH_TIME_ZONE="Mars", **not_served).run("serve", "--port", "0")
    assert (done.code, done.out) == (2, "")
    assert one_line(done.err).startswith("dispatch: DISPATCH_TIME_ZONE: is not a time zone")


@pytest.mark.parametrize(
    ("part", "value", "told"),
    [
        ("path", "/nowhere", 'database "nowhere" does not exist'),
        ("netloc", "nobody@", "nobody"),
        ("query", "host=/nowhere", "no connection to its server (No such file or directory)"),
        ("query", "host=nowhere.invalid", "no connection to its server"),
        ("query", "sslmode=sometimes", "sslmode"),
        ("more", "target_session_attrs=standby", "standby"),
    ],
)
async def test_a_database_that_does_not_take_us_is_one_line_and_exit_1(
    database_url: str, part: str, value: str, told: str
) -> None:
    url = urlsplit(database_url)
    if part == "more":
        part, value = "query", f"{url.query}&{value}"
    changed = url._replace(**{part: value}).geturl()
    done = await Cli(DISPATCH_DATABASE_URL=changed).ask("keys", "list")
    assert (done.code, done.out) == (1, "")
    assert one_line(done.err).startswith("dispatch: the database can not be used: ")
    assert told in done.err


@pytest.mark.parametrize("setting", ["DISPATCH_POLICY_FILE", "DISPATCH_CODES_FILE"])
async def test_a_file_that_is_no_text_is_one_line_and_exit_2(
    not_served: dict[str, str], setting: str, tmp_path: Path
) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    done = await Cli(**{setting: str(binary)}, **not_served).run(
        "serve", "--port", "0", "--data-dir", str(tmp_path / "data")
    )
    assert done.code == 2
    assert str(binary) in one_line(done.err)


async def test_a_secret_is_not_in_the_line_about_it() -> None:
    done = await Cli(DISPATCH_DATABASE_URL="mysql://user:hunter2@host/db").ask("serve", "--port", "0")
    assert done.code == 2
    assert "hunter2" not in done.err


async def test_a_setting_that_is_not_known_is_warned_of(make_cli: MakeCli) -> None:
    cli = make_cli(DISPATCH_TWILO_FROM="+31612345678")
    process = await cli.start("serve", "--port", "0")
    assert process.stderr is not None
    first = json.loads(await process.stderr.readline())
    process.terminate()
    await process.communicate()
    assert (first["level"], first["variable"]) == ("warning", "DISPATCH_TWILO_FROM")


async def test_a_port_that_is_taken_is_one_line_and_exit_2(not_served: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = await Cli(**not_served).run("serve", "--port", str(port))
    assert done.code == 2
    assert str(port) in one_line(done.err)
    assert "--port" in done.err


async def test_a_database_that_is_not_there_is_one_line_and_exit_1() -> None:
    cli = Cli(DISPATCH_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    for run, words in (
        (cli.run, ["serve", "--port", "0"]),
        (cli.run, ["keys", "list"]),
        (cli.ask, ["db", "upgrade"]),
    ):
        done = await run(*words)
        assert done.code == 1, words
        assert "Traceback" not in done.err
        assert one_line(done.err).startswith("dispatch: ")


async def test_a_data_dir_that_is_mistyped_is_one_line_and_exit_2_and_makes_nothing(tmp_path: Path) -> None:
    mistyped = tmp_path / "dta"
    for words in (
        ["keys", "list"],
        ["keys", "revoke", "x"],
        ["medics", "token", "x"],
        ["replay", "x"],
        ["db", "backup", str(tmp_path / "backup")],
        ["db", "resume"],
    ):
        done = await Cli().ask(*words, "--data-dir", str(mistyped))
        assert (done.code, done.out) == (2, ""), words
        assert one_line(done.err).startswith(f"dispatch: there is no database in {mistyped}: "), words
    assert list(tmp_path.iterdir()) == []


async def test_a_policy_file_is_checked_before_it_is_used(tmp_path: Path, make_cli: MakeCli) -> None:
    file = tmp_path / "policies.toml"
    file.write_text("[trauma]\nwantd = 2\n")
    done = await Cli().run("policy", "check", str(file))
    assert (done.code, done.out) == (1, "")
    assert one_line(done.err).endswith("trauma.wantd: unknown key; did you mean 'wanted'?")
    served = await make_cli(DISPATCH_POLICY_FILE=str(file)).ask("serve", "--port", "0")
    assert served.code == 2
    assert "trauma.wantd" in one_line(served.err)
    file.write_text("[trauma]\nwanted = 2\n")
    done = await Cli().ask("policy", "check", str(file))
    assert done.code == 0
    hashes = dict(line.split() for line in done.out.splitlines())
    assert hashes["other"] == digest(shipped()["other"])
    assert hashes["trauma"] != digest(shipped()["trauma"])
    file.write_text('[trauma]\nladder = [{channel = "voice", after_s = 0}]\n')
    done = await Cli().ask("policy", "check", str(file))
    assert (done.code, len(done.out.splitlines())) == (0, 6), "planners may try it"
    assert one_line(done.err).startswith(
        f"dispatch: {file}: nobody is asked for trauma: no rung of its ladder"
    )
    file.write_text("[trauma]\nwanted = 2\n")
    as_json = json.loads((await Cli().ask("policy", "check", str(file), "--json")).out)
    assert as_json["trauma"]["policy"]["wanted"] == 2


async def test_a_file_of_codes_is_checked_at_start(tmp_path: Path, make_cli: MakeCli) -> None:
    file = tmp_path / "codes.toml"
    for text, told in (
        ('[mpds]\n"1" = "dragon"\n', "mpds.1"),
        ("x = 1\n", "x: stands outside"),
        ("[", "TOML"),
    ):
        file.write_text(text)
        done = await make_cli(DISPATCH_CODES_FILE=str(file)).ask("serve", "--port", "0")
        assert done.code == 2
        assert told in one_line(done.err)


async def test_db_upgrade_prints_the_revisions(cli: Cli) -> None:
    done = await cli.run("db", "upgrade", "--json")
    revisions = json.loads(done.out)
    assert done.code == 0
    assert revisions["before"] == revisions["after"] is not None
