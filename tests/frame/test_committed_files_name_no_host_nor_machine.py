"""What is committed works anywhere: no package index's address, no path of the machine it came from."""

import re
import subprocess

import pytest

# A registry's host in any form, and the homes and workplaces that a path of somebody's machine begins with.
INDEX_URL = re.compile(
    rb"(--(extra-)?index-url|--find-links|--trusted-host)[ =]+\S|python[h]osted|py[p]i\.org|://[\w.-]*(simple|artifactory|nexus)"
)
SOMEBODYS_PATH = rb"/(home|Users)/\w+/|/root/\."


@pytest.fixture(scope="module")
def tracked(pytestconfig) -> dict[str, bytes]:
    root = pytestconfig.rootpath
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name and name != THIS_FILE]
    return {name: (root / name).read_bytes() for name in names if (root / name).is_file()}


THIS_FILE = "tests/frame/test_committed_files_name_no_host_nor_machine.py"


def test_the_lock_holds_no_address_and_pins_everything_by_hash(tracked):
    lock = tracked["requirements.lock"].decode()
    assert "://" not in lock
    assert not re.search(r"^--", lock, re.MULTILINE)
    pinned = re.findall(r"^[\w.-]+(?:\[[\w,-]+\])?==", lock, re.MULTILINE)
    entries = re.split(r"\n(?=[\w])", lock.strip())
    assert len(pinned) == len(entries) > 50
    assert all("--hash=sha256:" in entry for entry in entries)


def test_no_file_tells_where_packages_come_from(tracked):
    assert [name for name, text in tracked.items() if INDEX_URL.search(text)] == []


def test_no_file_holds_a_path_of_somebodys_machine(tracked, pytestconfig):
    this_one = re.escape(str(pytestconfig.rootpath).encode())
    path = re.compile(SOMEBODYS_PATH + rb"|" + this_one + rb"\b")
    assert [name for name, text in tracked.items() if path.search(text)] == []


def test_no_lock_that_records_hosts_is_committed(tracked):
    assert {"uv.lock", "poetry.lock", "Pipfile.lock"} & set(tracked) == set()
