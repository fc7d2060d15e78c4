"""The same seed gives the same bytes on one core, on two and on a Dask cluster; Ctrl-C keeps what is done."""

import csv
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

from simulations.planning import runs
from simulations.planning.results import document, write_csv
from simulations.planning.scenario import Scenario, read
from simulations.planning.sections import BehaviourKeys
from tests.planning.scenarios import AREA, cells_around, written

SMALL = (
    "weeks = 1\nseed = 5\nreplications = 6\n" + AREA + "[medics]\ncount = 150\n[incidents]\nper_year = 400\n"
    "[policies]\nshipped = 'shipped'\nfewer = 'fewer.toml'\n"
)
FEWER = "[cardiac_arrest]\nwanted = 1\nwaves = [{ after_s = 0, alerts = 3 }]\n"

AGAIN = BehaviourKeys(acceptance="logit")
"""Each replication is made with medics who act so too."""

UNTIL_INTERRUPTED = """
import json, sys
from simulations.planning import runs
from simulations.planning.scenario import read

scenario = read(sys.argv[1], replications=10_000)
results = runs.run(scenario, lambda done: print(done, file=sys.stderr, flush=True), jobs=2)
print(json.dumps([results.ended, [[one.values for one in row] for row in results.rows]]))
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    (folder / "fewer.toml").write_text(FEWER, "utf-8")
    return written(folder, SMALL)


@pytest.fixture(scope="module")
def scenario(path: Path) -> Scenario:
    return read(path)


@pytest.fixture(scope="module")
def on_one_core(scenario: Scenario) -> runs.Results:
    return runs.run(scenario, again=AGAIN)


@pytest.fixture
def cluster() -> Iterator[str]:
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    ) as two:
        yield two.scheduler_address


def test_two_cores_give_the_same_bytes_as_one(scenario: Scenario, on_one_core: runs.Results):
    heard: list[int] = []
    found = runs.run(scenario, heard.append, jobs=2, again=AGAIN)
    assert document(scenario, found) == document(scenario, on_one_core)
    assert heard == [1, 2, 3, 4, 5, 6]


def test_a_dask_cluster_gives_the_same_bytes(scenario: Scenario, on_one_core: runs.Results, cluster: str):
    found = runs.run(scenario, dask=cluster, again=AGAIN)
    assert document(scenario, found) == document(scenario, on_one_core)


def test_another_seed_gives_other_bytes(path: Path, on_one_core: runs.Results):
    other = runs.run(read(path, seed=6, replications=1))
    assert other.rows[0][0].values != on_one_core.rows[0][0].values


def test_more_replications_leave_the_first_ones_as_they_were(path: Path, on_one_core: runs.Results):
    more = runs.run(read(path, replications=8), jobs=2)
    for row, other in zip(on_one_core.rows, more.rows, strict=False):
        assert [one.values for one in row] == [one.values for one in other]


def test_ctrl_c_keeps_the_longest_prefix_and_ends_every_process(path: Path, on_one_core: runs.Results):
    """The terminal's: every process of the group hears it."""
    with subprocess.Popen(
        [sys.executable, "-c", UNTIL_INTERRUPTED, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        assert next(process.stderr) == "1\n"
        os.killpg(process.pid, signal.SIGINT)
        told, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, complaints
    assert all(line.isdecimal() for line in complaints.split()), complaints
    ended, rows = json.loads(told)
    assert ended == "stopped"
    assert 1 <= len(rows) < 10_000
    for row, expected in zip(rows, on_one_core.rows, strict=False):
        assert row == [one.values for one in expected]
    assert_is_gone(process.pid)


def assert_is_gone(group: int) -> None:
    """Python's own tracker of shared things ends a moment after the process that it served."""
    for _ in range(200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("processes are left")


def test_it_ends_once_the_difference_is_known(path: Path):
    text = path.read_text("utf-8").replace("replications = 6", "replications = 40\nstop_within_s = 80000")
    path.with_name("stopping.toml").write_text(text, "utf-8")
    found = runs.run(read(path.with_name("stopping.toml")), jobs=2)
    assert (found.ended, len(found.rows)) == ("enough", 30)
    assert found.level == pytest.approx(0.975)


def test_the_document_says_what_was_asked_and_has_no_nan(scenario: Scenario, on_one_core: runs.Results):
    told = json.loads(document(scenario, on_one_core), parse_constant=pytest.fail)
    assert told["replications"] == {"asked": 6, "done": 6, "ended": "all"}
    assert told["scenario"]["seed"] == 5
    by = {(one["policy"], one["measure"]): one for one in told["measures"]}
    assert by["shipped", "alerts"]["low"] < by["shipped", "alerts"]["mean"] < by["shipped", "alerts"]["high"]
    differences = {one["measure"]: one for one in told["differences"]}
    assert differences["alerts"]["difference"] == pytest.approx(
        by["fewer", "alerts"]["mean"] - by["shipped", "alerts"]["mean"]
    )
    assert (differences["survival_de_maio"]["low"], differences["survival_de_maio"]["high"]) == (0, 0)
    alarms = sum(one["alarms"] for one in told["by_hour"] if one["policy"] == "fewer")
    assert alarms == sum(one["alarms"] for one in told["by_kind"] if one["policy"] == "shipped") > 0
    assert told["by_cell"] == []  # there is no grid


def test_common_random_numbers_make_the_difference_vary_less(scenario: Scenario, on_one_core: runs.Results):
    told = json.loads(document(scenario, on_one_core))
    ratios = {one["measure"]: one.get("variance_ratio") for one in told["differences"]}
    assert ratios["survival_waalewijn"] < 0.5


def test_a_csv_beside_the_report_has_every_replication(
    scenario: Scenario, on_one_core: runs.Results, tmp_path: Path
):
    (path,) = write_csv(scenario, on_one_core, tmp_path / "report.html")
    assert path == tmp_path / "report.csv"
    head, *lines = path.read_text("utf-8").splitlines()
    assert head == "replication,policy,measure,value"
    values = {tuple(line.split(",")[:3]): float(line.split(",")[3]) for line in lines}
    assert values["5", "fewer", "alerts"] == on_one_core.rows[5][1].values["alerts"]
    assert not any(math.isnan(value) for value in values.values())


def test_with_a_grid_the_cells_are_counted_beside_the_report(tmp_path: Path):
    cells = cells_around(53.35, -6.25, resolution=8, rings=2)
    people = "\n".join(("h3,population", *(f"{cell},100" for cell in cells)))
    text = SMALL.split("[policies]")[0] + "[grid]\ncsv = 'people.csv'\n"
    scenario = read(written(tmp_path, text, people_csv=people), replications=2)
    results = runs.run(scenario)
    _, path = write_csv(scenario, results, tmp_path / "report.html")
    with path.open(encoding="utf-8") as file:
        counted = list(csv.DictReader(file))
    assert {one["h3"] for one in counted} <= set(cells)
    alarms = sum(int(one["alarms"]) for one in counted)
    told = json.loads(document(scenario, results))
    assert (
        alarms
        == sum(one["alarms"] for one in told["by_cell"])
        == sum(one["alarms"] for one in told["by_hour"])
    )
