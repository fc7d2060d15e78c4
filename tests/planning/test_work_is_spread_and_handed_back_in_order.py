"""Indices over processes and over a Dask cluster: in order, whatever finishes first; none stays."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import psutil
import pytest
from distributed import Client, LocalCluster

from simulations.planning import spread
from simulations.planning.errors import ScenarioError

SLOW_TO_IMPORT = """
import os
import time

os.write(1, b"importing\\n")  # whole: print writes its line's end apart where nothing is buffered
time.sleep(1)


def make(about):
    return abs
"""
SPREAD = """
import slow_to_import

from simulations.planning import spread

print(list(spread.in_order(slow_to_import.make, None, 4, jobs=2)))
"""


def squares(add: int) -> Callable[[int], tuple[int, int]]:
    """The lower of two neighbours takes longer."""
    prepared_by = os.getpid()

    def work(index: int) -> tuple[int, int]:
        time.sleep(0.02 * (index % 2 == 0))
        return index**2 + add, prepared_by

    return work


def meeting(folder: str) -> Callable[[int], tuple[int, int]]:
    """Begins once two processes are there."""
    (Path(folder) / str(os.getpid())).touch()
    while len(list(Path(folder).iterdir())) < 2:
        time.sleep(0.01)
    return squares(3)


def failing(at: int) -> Callable[[int], int]:
    def work(index: int) -> int:
        if index == at:
            raise ValueError(f"no {index}")
        return index

    return work


def unprepared(about: str) -> Callable[[int], int]:
    raise ScenarioError("here.toml", about, "can not be drawn from", ["a line"])


def dying(at: int) -> Callable[[int], int]:
    def work(index: int) -> int:
        if index == at:
            os._exit(1)
        return index

    return work


def handing_back(size: int) -> Callable[[int], bytes]:
    """After the first, each process does nothing but hand back."""
    return lambda index: bytes(size) if index else b""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Two workers in processes of their own, on loopback."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as two:
        yield two.scheduler_address


def test_on_one_core_it_is_all_done_here():
    found = list(spread.in_order(squares, 3, 5, jobs=1))
    assert found == [(index**2 + 3, os.getpid()) for index in range(5)]


def test_two_processes_hand_back_the_same_in_the_same_order(tmp_path: Path):
    found = list(spread.in_order(meeting, str(tmp_path), 11, jobs=2))
    assert [value for value, _ in found] == [index**2 + 3 for index in range(11)]
    workers = {process for _, process in found}
    assert len(workers) == 2
    assert os.getpid() not in workers
    assert not multiprocessing.active_children()


def test_leaving_off_keeps_the_first_ones_and_ends_the_processes():
    several = spread.in_order(squares, 0, 10_000, jobs=2)
    assert [value for value, _ in islice(several, 7)] == [index**2 for index in range(7)]
    several.close()
    assert not multiprocessing.active_children()


@pytest.mark.timeout(30)
def test_leaving_off_while_much_is_handed_back_waits_for_no_more_of_it():
    """A pipe holds 64 KiB: whoever ends in the middle leaves the rest of it unwritten."""
    several = spread.in_order(handing_back, 1 << 25, 10_000, jobs=2)
    assert next(several) == b""
    time.sleep(0.1)
    several.close()
    assert not multiprocessing.active_children()


def test_what_fails_is_told_once_those_before_it_were_handed_back():
    several = spread.in_order(failing, 2, 9, jobs=2)
    assert list(islice(several, 2)) == [0, 1]
    with pytest.raises(ValueError, match="no 2"):
        next(several)
    assert not multiprocessing.active_children()


def test_what_fails_before_the_first_is_told_as_it_is_and_not_taken_for_a_killed_process():
    with pytest.raises(ScenarioError) as error:
        list(spread.in_order(unprepared, "region", 9, jobs=2))
    assert str(error.value) == "here.toml: region: can not be drawn from"
    assert error.value.listed == ("a line",)


def test_ctrl_c_that_another_thread_takes_waits_until_the_processes_have_begun():
    """A library's threads do not block it, and python then tells the first thread all the same."""
    done, begun = threading.Event(), []
    other = threading.Thread(target=done.wait)
    other.start()

    def begin() -> None:
        with spread._ctrl_c_waits():
            signal.pthread_kill(other.ident, signal.SIGINT)
            time.sleep(0.02)
            begun.append(True)

    try:
        with pytest.raises(KeyboardInterrupt):
            begin()
    finally:
        done.set()
        other.join()
    assert begun


def test_ctrl_c_while_the_processes_begin_is_for_the_first_one_alone(tmp_path: Path):
    """It reaches all of a terminal; here only those who are not to hear it."""
    (tmp_path / "slow_to_import.py").write_text(SLOW_TO_IMPORT, "utf-8")
    with subprocess.Popen(
        [sys.executable, "-c", SPREAD],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), *sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for _ in range(3):  # the first process has imported it, and both others have begun to
            assert next(process.stdout) == "importing\n"
        for child in psutil.Process(process.pid).children():
            child.send_signal(signal.SIGINT)
        told, complaints = process.communicate(timeout=60)
    assert (process.returncode, told, complaints) == (0, "[0, 1, 2, 3]\n", "")


def test_a_process_that_dies_is_an_error_and_no_hang():
    with pytest.raises(spread.WorkerDied):
        list(spread.in_order(dying, 3, 50, jobs=2))


def test_no_index_is_no_work():
    assert list(spread.in_order(squares, 0, 0, jobs=2)) == []


def test_a_cluster_hands_back_the_same_in_the_same_order(cluster: str):
    found = list(spread.on_dask(squares, 3, 11, cluster))
    assert [value for value, _ in found] == [index**2 + 3 for index in range(11)]
    assert len({process for _, process in found}) == 2


def test_a_cluster_is_free_again_after_leaving_off(cluster: str):
    several = spread.on_dask(squares, 0, 10_000, cluster)
    assert [value for value, _ in islice(several, 3)] == [0, 1, 4]
    several.close()
    assert [value for value, _ in spread.on_dask(squares, 1, 2, cluster)] == [1, 2]


def test_a_cluster_of_other_versions_is_refused(cluster: str):
    with Client(cluster, set_as_default=False) as client:
        spread.check_versions(client, spread.versions())
        with pytest.raises(spread.VersionsDiffer, match="numpy"):
            spread.check_versions(client, {**spread.versions(), "numpy": "0.1"})


def test_a_cluster_without_workers_is_an_error_at_once():
    with (
        LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as empty,
        pytest.raises(OSError, match="no workers"),
    ):
        list(spread.on_dask(squares, 0, 1, empty.scheduler_address))


def test_where_no_scheduler_is_an_error_says_so():
    with pytest.raises(OSError, match=r"tcp://127\.0\.0\.1:9"):
        list(spread.on_dask(squares, 0, 1, "tcp://127.0.0.1:9"))
