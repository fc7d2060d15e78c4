"""The README's two nodes on one Postgres, its commands as they stand there; one node is killed halfway."""

import time

import pytest

from tests.readme.session import ROOT, blocks_of, checkout, terminal, until_ready

FIRST, SECOND = 8018, 8019
KILLED_AFTER = 10


@pytest.mark.timeout(240)
def test_one_of_two_nodes_is_killed_while_incidents_flow() -> None:
    postgres, serve_first, serve_second, report = blocks_of("Two nodes on one Postgres")
    with checkout("try-two", FIRST, SECOND), terminal(postgres):
        until_written("try-two/dsn")
        with terminal(serve_first) as first, terminal(serve_second):
            until_ready(FIRST)
            until_ready(SECOND)
            with terminal(report) as control_room:
                said = [control_room.line().strip() for _ in range(KILLED_AFTER)]
                first.kill()
                said += control_room.rest(120).splitlines()
    assert [line for line in said if line.endswith("is taken")] == [f"{n} is taken" for n in range(1, 41)]
    assert [line for line in said if "references" in line] == ["40 incidents, 40 references"], (
        "as one node says"
    )


def until_written(path: str) -> None:
    for _ in range(600):
        if (ROOT / path).exists() and (ROOT / path).read_text("utf-8"):
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} was not written")
