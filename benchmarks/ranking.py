"""Times ranking both directions against the bare matrix product and two common scorers, and measures memory.

`bench` ranks N queries among N items and back from one pass over tiles of the similarities. Compared with it:

    matrix product    the same tiles, multiplied and thrown away: what nobody can do without
    argsort by row    one query at a time, sorted, its item looked up; the released HSE code does it so
    full sort         the whole matrix sorted, the diagonal looked up; CLIP4Clip and others do it so

Time is taken in one process, runs taking turns; memory in a fresh process for each, because only the operating system
sees what torch and its matrix library take: growth of the peak resident size, after a small run has loaded everything.

    python benchmarks/ranking.py
    python benchmarks/ranking.py --n 100000 --only bench --repeats 1
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from timing import arguments, measure, start, table
from torch import Tensor
from torch.nn import functional

from bench.metrics.ranking import STRIPE_BYTES, rank_pairs, tile_height

BENCH, PRODUCT, BY_ROW, SORT = "bench", "matrix product", "argsort by row", "full sort"
SORT_LIMIT = 8_000
"""Pairs up to which the full sort runs: at 20,000 it takes more than 6 GB."""


def embeddings(count: int, dim: int, device: str) -> tuple[Tensor, Tensor]:
    """Returns queries and items, (count, dim) float32, made in place; item i belongs to query i."""
    generator = torch.Generator(device).manual_seed(0)
    queries = torch.empty(count, dim, device=device).normal_(generator=generator)
    items = torch.empty(count, dim, device=device).normal_(generator=generator)
    return queries, items.mul_(3).add_(queries)


def by_tiles(queries: Tensor, items: Tensor) -> object:
    """Ranks by `bench`."""
    return rank_pairs(queries, items, torch.arange(len(queries)))


def products(queries: Tensor, items: Tensor) -> object:
    """Multiplies all tiles, of the shape and in the order that `bench` uses, and keeps nothing."""
    count, dim = queries.shape
    height = tile_height(count, dim, queries.device.type)
    tile = queries.new_empty(height, height)
    stripe = height * max(1, STRIPE_BYTES // (4 * height * dim))
    for first in range(0, count, stripe):
        for column in blocks(items, 0, count, height):
            for row in blocks(queries, first, min(first + stripe, count), height):
                torch.mm(row, column.t(), out=tile[: len(row), : len(column)])
    return tile


def blocks(rows: Tensor, first: int, last: int, height: int) -> Iterator[Tensor]:
    """Yields `rows[first:last]` in blocks."""
    for begin in range(first, last, height):
        yield rows[begin : min(begin + height, last)]


def argsort_by_row(queries: Tensor, items: Tensor) -> object:
    """Ranks both directions, one row at a time."""
    unit = [functional.normalize(side) for side in (queries, items)]
    ranks = np.empty((2, len(queries)), dtype=np.int64)
    for direction, (asking, asked) in enumerate((unit, unit[::-1])):
        for i, one in enumerate(asking):
            order = np.argsort(torch.mv(asked, one).cpu().numpy())[::-1]
            ranks[direction, i] = np.flatnonzero(order == i)[0]
    return ranks


def full_sort(queries: Tensor, items: Tensor) -> object:
    """Ranks both directions by sorting the whole matrix."""
    similarities = (functional.normalize(queries) @ functional.normalize(items).t()).cpu().numpy()
    ranks = []
    for matrix in (similarities, similarities.T):
        ordered = np.sort(-matrix, axis=1)
        ranks.append(np.argmax(ordered == -np.diag(matrix)[:, None], axis=1))
    return ranks


RUNS: dict[str, Callable[[Tensor, Tensor], object]] = {
    BENCH: by_tiles,
    PRODUCT: products,
    BY_ROW: argsort_by_row,
    SORT: full_sort,
}


def peak_bytes(device: str) -> int:
    """Returns the most memory held so far: on the GPU by torch, else by this process."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device)
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent process held when it started this one
        (line,) = (line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def growth(name: str, shape: tuple[int, int], device: str) -> float:
    """Returns by how many MB a run raises the peak beyond the embeddings."""
    small = embeddings(600, shape[1], device)
    RUNS[name](*small)
    pair = embeddings(*shape, device)
    before = peak_bytes(device)
    RUNS[name](*pair)
    return (peak_bytes(device) - before) / 1e6


def measured_apart(name: str, shape: tuple[int, int], chosen: argparse.Namespace) -> float:
    """Returns `growth` as a fresh process finds it."""
    flags = ("--memory-of", name, "--n", shape[0], "--dim", shape[1], "--device", chosen.device)
    command = [sys.executable, str(Path(__file__)), *map(str, flags), "--threads", str(chosen.threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def report(count: int, chosen: argparse.Namespace) -> str:
    """Returns the table for one N."""
    names = [name for name in chosen.only if name != SORT or count <= SORT_LIMIT]
    pair = embeddings(count, chosen.dim, chosen.device)
    runs = {name: partial(RUNS[name], *pair) for name in names}
    taken = measure(runs, chosen.repeats, chosen.device, warm=count <= SORT_LIMIT)
    del pair, runs
    unit = "CPU s" if chosen.device == "cpu" else "s"
    rows: list[Sequence[object]] = [(f"N = {count}, d = {chosen.dim}", unit, "wall s", "ratio", "MB")]
    for name, seconds in taken.items():
        memory = measured_apart(name, (count, chosen.dim), chosen)
        ratio = seconds.on(chosen.device) / taken[PRODUCT].on(chosen.device) if PRODUCT in taken else ""
        rows.append((name, seconds.on(chosen.device), seconds.wall, ratio, memory))
    return table(rows)


def main() -> None:
    """Prints one table for each N."""
    parser = arguments(__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[4917, 20_000], help="pairs")
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--only", nargs="+", choices=tuple(RUNS), default=list(RUNS), help="what to run")
    parser.add_argument("--memory-of", choices=tuple(RUNS), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    what = start(chosen)
    if chosen.memory_of:
        print(growth(chosen.memory_of, (chosen.n[0], chosen.dim), chosen.device))
        return
    print(f"{what}; both directions, ratios to the matrix product; MB beyond the embeddings")
    for count in chosen.n:
        print("\n" + report(count, chosen))


if __name__ == "__main__":
    main()
