"""The machine that a figure was measured on, in words."""

import os
import platform
from pathlib import Path


def described() -> str:
    """Processor, cores, memory and kernel; nothing that names the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{_processor()}, {cores} cores, {_memory_gib()} GiB, {platform.system()} {platform.release()}, "
        + (f"Python {platform.python_version()}")
    )


def _processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> str:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal"):
            return str(round(int(line.split()[1]) / 2**20))
    return "?"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text("utf-8").splitlines()
    except OSError:
        return []
