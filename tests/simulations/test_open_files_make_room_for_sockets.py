"""A demo of thousands of sockets starts where a process begins with 256 open files, or says why not."""

import subprocess
import sys

PROGRAM = """
import resource
from simulations.demo.open_files import TooFewOpenFiles, make_room
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
try:
    make_room(1000)
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
except TooFewOpenFiles as error:
    print(error)
"""


def limited(soft: int, hard: int) -> str:
    program = PROGRAM.format(soft=soft, hard=hard)
    command = [sys.executable, "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def test_a_low_limit_is_raised_as_far_as_needed():
    assert limited(256, 4096) == "1256"


def test_a_sufficient_limit_is_left_alone():
    assert limited(2048, 4096) == "2048"


def test_a_hard_limit_below_is_one_line_that_says_what_to_do():
    said = limited(256, 1024)
    assert "--medics" in said
    assert len(said.splitlines()) == 1
