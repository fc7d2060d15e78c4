"""The nearest 20 medics: our index beside a static k-d tree, Redis and PostGIS, same points, same run.

`python -m benchmarks.nearest [--quick] [--json]`. Queries are drawn like the points; the rivals take turns,
in random order, so that a busy machine slows all alike. A tenth of our answers is checked by the k-d tree.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.spatial import cKDTree

from benchmarks.nearest_rivals import Absent, PostGIS, Redis, open_postgis, open_redis
from geo import curve
from geo.distance import arc_m, unit_vector, unit_vectors
from geo.nearest import NearestIndex

K = 20
IN_A_ROW = (1, 25)
"""Queries before the next contender's turn. With 1 everybody starts on a cold cache."""
Floats = NDArray[np.float64]
Positions = tuple[Floats, Floats]
Result = dict[str, Any]


def uniform(rng: np.random.Generator, n: int) -> Positions:
    """Evenly over the globe, without the caps that Redis cannot hold."""
    return np.degrees(np.arcsin(rng.uniform(-0.99, 0.99, n))), rng.uniform(-180, 180, n)


def cities(rng: np.random.Generator, n: int) -> Positions:
    """300 towns on 300 by 250 km, few large and many small, everyone within some kilometres of a centre."""
    towns = np.random.default_rng(11)
    lat, lon, weight = (
        towns.uniform(50.8, 53.4, 300),
        towns.uniform(3.5, 7.0, 300),
        towns.pareto(1.2, 300) + 0.2,
    )
    town = rng.choice(300, n, p=weight / weight.sum())
    spread = 0.02 * np.sqrt(weight[town])
    return lat[town] + rng.normal(0, 1, n) * spread, lon[town] + rng.normal(0, 1, n) * spread * 1.6


PLACES: dict[str, Callable[[np.random.Generator, int], Positions]] = {"uniform": uniform, "cities": cities}


def queries(where: str, n: int, count: int, redis: Redis | None, postgis: PostGIS | None) -> list[Result]:
    """Microseconds a query of each contender, taking turns."""
    rng = np.random.default_rng(n)
    lats, lons = PLACES[where](rng, n)
    index = NearestIndex()
    index.put_many(np.arange(n), lats, lons)
    tree = cKDTree(np.ascontiguousarray(unit_vectors(lats, lons).T))
    if redis:
        redis.load(lats, lons)
    if postgis:
        postgis.load(lats, lons)

    query_lats, query_lons = PLACES[where](rng, count)
    asked: list[tuple[float, float]] = list(zip(query_lats.tolist(), query_lons.tolist(), strict=True))
    reach_m = [float(index.nearest(*at, K)[1][-1]) for at in asked]
    fixed_m = float(np.quantile(reach_m, 0.99))
    vectors = [unit_vector(*at) for at in asked]
    contenders: dict[str, Callable[[int], object]] = {
        "ours": lambda i: index.nearest(*asked[i], K),
        "cKDTree, static": lambda i: tree.query(vectors[i], K),
    }
    if redis:
        contenders["Redis, told each radius"] = lambda i: redis.nearest(*asked[i], K, reach_m[i] * 1.001)
        contenders["Redis, one radius"] = lambda i: redis.nearest(*asked[i], K, fixed_m)
    if postgis:
        contenders["PostGIS <->"] = lambda i: postgis.nearest(*asked[i], K)

    rows = []
    for in_a_row in IN_A_ROW:
        taken_us = _in_turns(contenders, count, in_a_row)
        rows.append(
            {
                "where": where,
                "medics": n,
                "in_a_row": in_a_row,
                "one_radius_m": round(fixed_m),
                "median_us": {name: round(float(np.median(us)), 1) for name, us in taken_us.items()},
                "p99_us": {name: round(float(np.quantile(us, 0.99)), 1) for name, us in taken_us.items()},
            }
        )
    for i in range(0, count, 10):
        exact_m = arc_m(tree.query(vectors[i], K)[0] ** 2)
        np.testing.assert_allclose(index.nearest(*asked[i], K)[1], exact_m, rtol=1e-9, atol=1e-6)
    return rows


def _in_turns(contenders: dict[str, Callable[[int], object]], count: int, in_a_row: int) -> dict[str, Floats]:
    """Microseconds of each contender's queries, so many of them before the next contender's turn."""
    order = np.random.default_rng(0)
    taken_us = {name: np.empty(count) for name in contenders}
    for begin in range(0, count, in_a_row):
        for name in order.permutation(list(contenders)):
            ask = contenders[name]
            for i in range(begin, min(begin + in_a_row, count)):
                before = time.perf_counter_ns()
                ask(i)
                taken_us[name][i] = (time.perf_counter_ns() - before) / 1e3
    return taken_us


def moves(where: str, n: int) -> list[Result]:
    """Moves a second in batches of three sizes: by some 50 m, and to anywhere else at all."""
    rng = np.random.default_rng(n)
    lats, lons = PLACES[where](rng, n)
    index = NearestIndex()
    index.put_many(np.arange(n), lats, lons)

    def step(who: NDArray[np.int64]) -> Positions:
        lats[who] += rng.normal(0, 0.0004, len(who))
        lons[who] = np.clip(lons[who] + rng.normal(0, 0.0006, len(who)), -180, 180)
        return lats[who], lons[who]

    def anywhere(who: NDArray[np.int64]) -> Positions:
        lats[who], lons[who] = PLACES[where](rng, len(who))
        return lats[who], lons[who]

    return [
        {"where": where, "medics": n, "batch": batch, "move": name, "per_s": _rate(index, rng, batch, move)}
        for batch in (n // 2, 10_000 if n > 20_000 else 1000, 100)
        for name, move in (("some 50 m", step), ("anywhere", anywhere))
    ]


def _rate(
    index: NearestIndex,
    rng: np.random.Generator,
    batch: int,
    move: Callable[[NDArray[np.int64]], Positions],
) -> int:
    spent_s, moved = 0.0, 0
    while spent_s < 0.3 or moved < 3 * batch:
        who = rng.choice(len(index), batch, replace=False, shuffle=False)
        lats, lons = move(who)
        begin = time.perf_counter()
        index.put_many(who, lats, lons)
        spent_s += time.perf_counter() - begin
        moved += batch
    return round(moved / spent_s)


def codes(n: int) -> Result:
    """Microseconds to find one point's cell: our curve in bulk, H3's binding call by call."""
    lats, lons = cities(np.random.default_rng(n), n)
    begin = time.perf_counter()
    curve.codes(lats, lons)
    curve_s = time.perf_counter() - begin
    rows = list(zip(lats.tolist(), lons.tolist(), strict=True))
    begin = time.perf_counter()
    for lat, lon in rows:
        h3.latlng_to_cell(lat, lon, 9)
    h3_s = time.perf_counter() - begin
    return {"points": n, "curve_us": round(curve_s / n * 1e6, 3), "h3_us": round(h3_s / n * 1e6, 3)}


def memory(n: int) -> Result:
    command = [sys.executable, "-m", "benchmarks.memory_nearest", str(n)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    return dict(json.loads(done.stdout))


def measured(sizes: Sequence[int], count: int, say: Callable[[str], None]) -> Result:
    """Everything, as plain data for JSON; what is missing is said through `say` and listed under `absent`."""
    rivals: dict[str, Any] = {}
    absent = []
    with ExitStack() as stack:
        for name, start in (("redis", open_redis), ("postgis", open_postgis)):
            try:
                rivals[name] = stack.enter_context(start())
            except Absent as missing:
                absent.append(str(missing))
                say(str(missing))
        asked = []
        for where in PLACES:
            for n in sizes:
                say(f"{where}, {n:,} medics")
                asked += queries(where, n, count, rivals.get("redis"), rivals.get("postgis"))
    moved = [row for where in PLACES for row in moves(where, sizes[-1])]
    return {
        "queries": asked,
        "moves": moved,
        "codes": codes(200_000),
        "memory": memory(1_000_000),
        "absent": absent,
    }


def show(result: Result, console: Console) -> None:
    names = list(dict.fromkeys(name for row in result["queries"] for name in row["median_us"]))
    table = Table(
        "where", "medics", "in a row", *names, title=f"Nearest {K}: median us (p99), and times ours"
    )
    for row in result["queries"]:
        ours = row["median_us"]["ours"]
        cells = [
            f"{us:,.0f} ({row['p99_us'][name]:,.0f})\n{us / ours:.2f}x"
            for name, us in row["median_us"].items()
        ]
        table.add_row(row["where"], f"{row['medics']:,}", str(row["in_a_row"]), *cells)
    console.print(table)
    table = Table("where", "medics", "batch", "move", "moves/s", title="Moves")
    for row in result["moves"]:
        table.add_row(
            row["where"], f"{row['medics']:,}", f"{row['batch']:,}", row["move"], f"{row['per_s']:,}"
        )
    console.print(table)
    cost, held = result["codes"], result["memory"]
    console.print(f"A point's cell: our curve {cost['curve_us']} us in bulk, H3's binding {cost['h3_us']} us")
    console.print(
        f"Bytes a medic at {held['medics']:,} beyond Python's start: {held['loaded_bytes_per_medic']}; "
        f"after all moved: {held['moved_bytes_per_medic']}, of them for the medics and not for numpy and the "
        f"code: {held['moved_bytes_per_medic_beyond_code']}"
    )


def main(argv: Sequence[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(prog="nearest", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10,000 and 100,000 medics only, fewer queries")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args(argv)
    sizes, count = ((10_000, 100_000), 100) if options.quick else ((10_000, 100_000, 1_000_000), 500)
    result = measured(sizes, count, lambda line: print(line, file=sys.stderr, flush=True))
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        show(result, Console(width=100))
    return result


if __name__ == "__main__":
    main()
