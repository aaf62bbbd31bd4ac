"""A gallery of a million items: CPU seconds of ranking it against the bare products of the same tiles, and memory.

`bench score retrieval --queries --items` is run as a command, with one process and with several, and compared with

    bare products     the same tiles, read from the same file, multiplied and thrown away: what nobody can do without

CPU seconds are those of all processes of a command together, from start to end: what Python and torch take to load
and what intervals take count too. Memory is the largest sum of PSS over all its processes, looked at twice a second
(Linux), and stands beside what all similarities would take. Records of all commands must hold equal evidence.

    python benchmarks/galleries.py
    python benchmarks/galleries.py --items 1000000 --queries 10000
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from timing import processor, table

BLOCK = 10_000
"""Embeddings that are made at a time."""


@dataclass(frozen=True)
class Spent:
    """What a command took: CPU and wall seconds, and the largest sum of PSS of its processes, in MB."""

    cpu: float
    wall: float
    memory: float
    output: str


def write_embeddings(folder: Path, shape: tuple[int, int, int], signal: float) -> None:
    """Writes both files and which item is right for each query; in blocks, whatever their size.

    Args:
        shape: queries, items, and their dimension.
        signal: how much of its query a right item holds; 0 is a model at chance.
    """
    queries, items, dim = shape
    rng = np.random.default_rng(0)
    files = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float32, (count, dim))
        for name, count in (("queries", queries), ("items", items))
    }
    for rows in files.values():
        for start in range(0, len(rows), BLOCK):
            rows[start : start + BLOCK] = rng.standard_normal((len(rows[start : start + BLOCK]), dim), np.float32)
    right = rng.permutation(items)[:queries]
    files["items"][right] += signal * files["queries"]
    (folder / "right.txt").write_text("".join(f"{place}\n" for place in right), encoding="utf-8")
    for rows in files.values():
        rows.flush()


def bare_products(folder: Path) -> None:
    """Multiplies all tiles and keeps nothing; prints the CPU seconds of that alone."""
    import torch

    from bench.metrics.ranking import tile_height

    torch.set_num_threads(1)
    queries, items = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("queries", "items"))
    height = tile_height(max(len(queries), len(items)), queries.shape[1], "cpu")
    rows = torch.from_numpy(np.array(queries)).split(height)
    tile, spent = torch.empty(height, height), 0.0
    for start in range(0, len(items), height):
        block = torch.from_numpy(np.array(items[start : start + height]))
        begin = time.process_time()
        for row in rows:
            torch.mm(row, block.t(), out=tile[: len(row), : len(block)])
        spent += time.process_time() - begin
    print(spent)


def spent_by(command: Sequence[str]) -> Spent:
    """Runs a command and returns what it took, its processes together."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryFile("w+") as output, subprocess.Popen(command, stdout=output) as process:
        sizes, over = [0.0], threading.Event()

        def look() -> None:
            while not over.wait(0.5):
                sizes.append(sum(map(pss, tree(process.pid))) / 1e6)

        looking = threading.Thread(target=look)
        looking.start()
        code = process.wait()
        over.set()
        looking.join()
        output.seek(0)
        said = output.read()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if code:
        raise SystemExit(f"{' '.join(command)} left with {code}")
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Spent(cpu, time.perf_counter() - begin, max(sizes), said)


def tree(process: int) -> list[int]:
    """Returns a process and all that it started, by number."""
    found = [process]
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # it ended meanwhile
                continue
    return found


def pss(process: int) -> float:
    """Returns the proportional set size of a process in bytes; 0 for one that has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0.0)


def scored(folder: Path, jobs: int) -> Spent:
    """Scores both files with so many processes."""
    files = ("--queries", folder / "queries.npy", "--items", folder / "items.npy", "--ids", folder / "right.txt")
    options = ("--jobs", jobs, "--json", "--data-kind", "generated", "--output", folder / f"runs-{jobs}")
    return spent_by([sys.executable, "-m", "bench", "score", "retrieval", *map(str, (*files, *options))])


def main() -> None:
    """Prints a row for the products and for each number of processes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--signal", type=float, default=1 / 3, help="of right items; 0 is a model at chance")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2], help="processes")
    parser.add_argument("--products-of", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.products_of:
        bare_products(chosen.products_of)
        return
    os.environ["OMP_NUM_THREADS"] = "1"  # of the bare products; ranking sets its own
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_embeddings(folder, (chosen.queries, chosen.items, chosen.dim), chosen.signal)
        products = float(spent_by([sys.executable, __file__, "--products-of", name]).output)
        runs = {jobs: scored(folder, jobs) for jobs in chosen.jobs}
    matrix = 4e-6 * chosen.items * chosen.queries
    print(f"{processor()}; {chosen.items:,} items, {chosen.queries:,} queries, d = {chosen.dim}")
    rows: list[Sequence[object]] = [("", "CPU s", "ratio", "wall s", "MB, all processes", "of all similarities")]
    rows.append(("bare products of the tiles", products, 1.0, "", "", ""))
    for jobs, run in runs.items():
        share = f"{run.memory / matrix:.3g}"
        rows.append((f"bench, --jobs {jobs}", run.cpu, run.cpu / products, run.wall, run.memory, share))
    print(table(rows))
    evidence = {json.loads(run.output)["evidence"]["sha256"] for run in runs.values()}
    print(f"evidence of all runs: {'equal' if len(evidence) == 1 else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
