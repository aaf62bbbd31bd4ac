"""What a matrix of similarities tells by itself: sums of rows and columns, hubs, rows and columns that occur twice.

None of it changes a number. It is written beside the score, because numbers do not say whether somebody normalised over
all queries of the test, ranked distances upside down, or left rows of padding in.

Source for hubness: Radovanović, Nanopoulos and Ivanović, "Hubs in Space", JMLR 11 (2010): the skewness of how often an
item is among the first k.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.metrics.similarities import TILE_BYTES, Similarities
from bench.reading.numbers import number_of
from bench.results import Evidence

NEAREST = 10
"""How many videos of each text are looked at for hubs."""
AT_MOST = 10_000
"""Texts that are looked at for hubs, evenly spaced where there are more."""
_SUM = 0.005
"""How far from 1 a sum may be: rows of float16 or bfloat16 do not add up exactly."""
_HUBS, _BEHIND = 1.0, 0.75


@dataclass(frozen=True)
class Fact:
    """What a matrix tells, in one line, and whether it is worth saying on the terminal too."""

    says: str
    odd: bool


def facts_of(similarities: Similarities, ranked: Similarities, evidence: Evidence, *, explained: bool) -> list[Fact]:
    """Returns what the matrix tells.

    Args:
        similarities: (M, N) as they came, all finite, rows are texts.
        ranked: the same as they were ranked; hubs are looked for there.
        evidence: what was counted.
        explained: whether it was said how they were normalised.
    """
    sums = [Fact(fact.says, fact.odd and not explained) for fact in _sums(similarities)]
    return [*sums, *_twice(similarities), *_upside_down(evidence), *_hubs(ranked)]


def _tiles(similarities: Similarities) -> Iterator[np.ndarray]:
    m, n = similarities.shape
    step = max(1, TILE_BYTES // (8 * n))
    yield from (similarities.rows(start, min(start + step, m)) for start in range(0, m, step))


def _sums(similarities: Similarities) -> Iterator[Fact]:
    m, n = similarities.shape
    if min(m, n) < 2:
        return
    for logarithms in (False, True):
        down, rows_are_one, between = np.zeros(n), True, False
        for tile in _tiles(similarities):
            if (tile.max() > 0) if logarithms else (tile.min() < 0):
                break
            values = np.exp(tile, dtype=np.float64) if logarithms else np.asarray(tile, dtype=np.float64)
            down += values.sum(axis=0)
            rows_are_one = rows_are_one and bool(np.allclose(values.sum(axis=1), 1.0, rtol=0.0, atol=_SUM))
            between = between or bool(((values > 0) & (values < 1)).any())
        else:
            what = "their exponentials sum" if logarithms else "they sum"
            if between and rows_are_one:
                yield Fact(f"along each row {what} to 1: a softmax over videos, which moves v2t and leaves t2v", True)
            if between and np.allclose(down, 1.0, rtol=0.0, atol=_SUM):
                words = f"down each column {what} to 1: a softmax over texts, which looks at all queries of the test"
                yield Fact(f"{words}; --transformed declares it (inverted-softmax:FACTOR)", True)


def _twice(similarities: Similarities) -> Iterator[Fact]:
    m, n = similarities.shape
    weights = np.random.default_rng(0).normal(size=m)
    rows: Counter[bytes] = Counter()
    flat, start, columns = 0, 0, np.zeros(n)
    for tile in _tiles(similarities):
        constant = (tile == tile[:, :1]).all(axis=1) & (n > 1)
        flat += int(constant.sum())
        rows.update(hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in tile[~constant])
        columns += (tile * weights[start : start + len(tile), None]).sum(axis=0)  # equal columns have equal sums
        start += len(tile)
    if flat:
        yield Fact(
            f"{flat:,} of {number_of(m, 'row')} hold one value throughout: rows of padding, or a text without an "
            "answer?",
            True,
        )
    if twice := sum(count for count in rows.values() if count > 1):
        yield Fact(
            f"{twice:,} of {number_of(m, 'row')} are equal to another one: equal texts, or rows that were filled up",
            True,
        )
    if m > 1 and (twice := sum(count for count in Counter(columns.tolist()).values() if count > 1)) and flat < m:
        yield Fact(
            f"{twice:,} of {number_of(n, 'column')} are equal to another one: equal videos, or columns filled up", True
        )


def _upside_down(evidence: Evidence) -> Iterator[Fact]:
    counts, n = evidence.counts["t2v"].astype(np.float64), evidence.n_items["t2v"]
    rank = float((counts[:, 0] + counts[:, 1] / 2).mean()) + 1.0
    if n > 2 and rank > 1 + _BEHIND * (n - 1):
        yield Fact(f"right videos rank {rank:.1f} of {n:,} on average: if these are distances, say --distances", True)


def _hubs(similarities: Similarities) -> Iterator[Fact]:
    m, n = similarities.shape
    if n <= 2 * NEAREST:
        return
    chosen = np.unique(np.linspace(0, m - 1, min(m, AT_MOST)).astype(np.int64))
    often, step = np.zeros(n), max(1, TILE_BYTES // (8 * n))
    for start in range(0, len(chosen), step):
        tile = similarities.take(chosen[start : start + step])
        last = np.partition(tile, n - NEAREST, axis=1)[:, n - NEAREST, None]
        above, equal = tile > last, tile == last
        share = (NEAREST - above.sum(axis=1, keepdims=True)) / equal.sum(axis=1, keepdims=True)
        often += (above + equal * share).sum(axis=0)  # of videos that tie for the last place each has its share of it
    spread = often - often.mean()
    deviation = float(np.sqrt((spread**2).mean()))
    skewness = float((spread**3).mean()) / deviation**3 if deviation > 1e-9 else 0.0
    never = 100.0 * float((often == 0).mean())
    texts = number_of(len(chosen), "text")
    words = f"hubs: how often a video is among the first {NEAREST} of {texts} has skewness {skewness:.2f}"
    most = (
        f"{never:.1f} % of videos never are, one is for {100.0 * float(often.max()) / len(chosen):.1f} % of the texts"
    )
    yield Fact(f"{words}; {most}", skewness > _HUBS)
