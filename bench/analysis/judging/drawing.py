"""Which queries are judged: misses of a run, drawn by strata of the rank of the annotated answer.

The order of all queries is that of SHA-256 of the seed and their opaque ids, so a draw can be made again anywhere, and
who stops early has judged a random part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bench.analysis.examples.lists import SHOWN, OpenedRun, Query, ShownItem
from bench.errors import UsageError

BOUNDS = (5, 10, 50)
"""The last ranks of the strata; the first begins behind rank 1, the last has no end."""
LEAST = 5
"""Queries drawn of each stratum, where it has them and the sample is large enough."""


@dataclass(frozen=True)
class SampleDraw:
    """How a sample is drawn: of one direction of a run, how many queries, under which seed."""

    direction: str
    count: int
    seed: int


@dataclass(frozen=True)
class DrawnSample:
    """Queries to be judged.

    Attributes:
        draw: how it was drawn.
        run: the run's name.
        evidence: SHA-256 of its evidence.
        strata: places in the evidence of all misses, by stratum, the best ranks first.
        places: of the drawn ones, in the order in which they are judged.
        queries: what was found for each of these.
    """

    draw: SampleDraw
    run: str
    evidence: str
    strata: tuple[tuple[int, ...], ...]
    places: tuple[int, ...]
    queries: tuple[Query, ...]


def drawn(run: OpenedRun, draw: SampleDraw) -> DrawnSample:
    """Returns the queries of a run that are judged. Raises: UsageError where none is wrong, or none is asked for."""
    if draw.count < 1:
        raise UsageError(f"--judge {draw.count}: ask for at least 1 query.")
    way = draw.direction
    ids, scored = run.asking[way], run.lists[way].queries
    counts = run.evidence.counts[way].astype(int)
    ranks = (1 + counts[:, 0] + counts[:, 1] / 2.0).tolist()
    strata: list[list[int]] = [[] for _ in (*BOUNDS, None)]
    for place, rank in enumerate(ranks):
        if rank > 1 and ids[place] in scored:
            strata[sum(rank > bound for bound in BOUNDS)].append(place)
    if not any(strata):
        raise UsageError(f"{run.result.run}: every query of {way} finds its answer first; there is nothing to judge.")
    mixed = [sorted(stratum, key=lambda place: _draw(draw.seed, ids[place])) for stratum in strata]
    sizes = _sizes([len(stratum) for stratum in strata], draw.count)
    places = [place for stratum, size in zip(mixed, sizes, strict=True) for place in stratum[:size]]
    places.sort(key=lambda place: _draw(draw.seed, ids[place]))
    return DrawnSample(
        draw=draw,
        run=run.result.run,
        evidence=run.result.evidence.sha256,
        strata=tuple(map(tuple, strata)),
        places=tuple(places),
        queries=tuple(run.query(way, place) for place in places),
    )


def pairs_of(query: Query) -> list[tuple[str, int]]:
    """Returns the items that are judged for a query with their places: the first five but for annotated ones."""
    return [(item.name, item.place) for item in query.shown if item.place <= SHOWN and not item.right]


def as_judged(query: Query) -> list[ShownItem]:
    """Returns the same items in an order that tells a judge nothing of their places: every page has the same one."""
    judged = {name for name, _ in pairs_of(query)}
    return sorted(
        (item for item in query.shown if item.name in judged), key=lambda item: _draw(0, f"{query.name}\n{item.name}")
    )


def _draw(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def _sizes(strata: Sequence[int], count: int) -> list[int]:
    """Returns how many of each stratum are drawn: `LEAST` of each, and the others in proportion to their sizes."""
    total = sum(strata)
    least = min(LEAST, max(1, count // (2 * len(strata)))) if count >= len(strata) else 0
    sizes = [min(least, size) for size in strata]
    while sum(sizes) < min(count, total):
        lacking = [
            count * size / total - have if have < size else float("-inf")
            for size, have in zip(strata, sizes, strict=True)
        ]
        sizes[lacking.index(max(lacking))] += 1
    return sizes
