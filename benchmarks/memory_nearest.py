"""Resident memory of an index, in a process of its own: `python -m benchmarks.memory_nearest N`."""

import json
import sys

import psutil


def resident_bytes() -> int:
    return int(psutil.Process().memory_info().rss)


def measured(n: int) -> dict[str, float]:
    """Bytes a medic beyond the bare interpreter, and beyond numpy and the code."""
    at_start = resident_bytes()

    import numpy as np

    from geo.nearest import NearestIndex

    with_code = resident_bytes()
    rng = np.random.default_rng(1)
    index = NearestIndex()

    def put_everyone() -> None:
        for begin in range(0, n, 50_000):
            keys = np.arange(begin, min(begin + 50_000, n))
            lats = np.degrees(np.arcsin(rng.uniform(-1, 1, len(keys))))
            index.put_many(keys, lats, rng.uniform(-180, 180, len(keys)))

    put_everyone()
    loaded = resident_bytes()
    put_everyone()
    moved = resident_bytes()
    return {
        "medics": n,
        "loaded_bytes_per_medic": round((loaded - at_start) / n, 1),
        "moved_bytes_per_medic": round((moved - at_start) / n, 1),
        "moved_bytes_per_medic_beyond_code": round((moved - with_code) / n, 1),
    }


if __name__ == "__main__":
    print(json.dumps(measured(int(sys.argv[1]))))
