"""What METEOR 1.5 counts for captions and their references, without Java: the program's numbers, item by item.

Pairs are worked on in blocks of like length, so that memory is bounded and long texts burden no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bench.metrics.captions.meteor.corpus import Corpus, read
from bench.metrics.captions.meteor.formula import CHUNKS, COLUMNS, meteor, without_whole_chunks
from bench.metrics.captions.meteor.matching import Matches, PairSides, matches
from bench.metrics.captions.meteor.program import one_field
from bench.metrics.captions.meteor.search import chosen
from bench.metrics.captions.meteor.table import table

_PAIRS, _CELLS = 4096, 1 << 20


def meteor_counts(pairs: Sequence[tuple[str, Sequence[str]]]) -> np.ndarray:
    """Returns (n, 23) int64 as `formula.COLUMNS` says, for each caption against its best reference.

    Args:
        pairs: (n,) a caption and its references, at least one; tokenised or not.

    Raises: ToolError and InvalidData when pycocoevalcap's data is missing or damaged, SaveError for an unusable cache.
    """
    numbers: dict[str, int] = {}
    captions = np.array([numbers.setdefault(caption, len(numbers)) for caption, _ in pairs], dtype=np.int64)
    references = [numbers.setdefault(text, len(numbers)) for _, texts in pairs for text in texts]
    counts = np.fromiter((len(texts) for _, texts in pairs), dtype=np.int64, count=len(pairs))
    both = np.stack([np.repeat(captions, counts), np.array(references, dtype=np.int64)], axis=1)
    distinct, place = np.unique(both, axis=0, return_inverse=True)
    corpus = read([one_field(text) for text in numbers], table())
    rows = np.zeros((len(distinct), COLUMNS), dtype=np.int64)
    for block in _blocks(corpus.lengths[distinct]):
        rows[block] = _counted(distinct[block, 0], distinct[block, 1], corpus)
    return _best(without_whole_chunks(rows)[place.ravel()], counts)


def _blocks(lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Yields places of pairs (n, 2), of like length, not too many words against words at once."""
    order = np.argsort(lengths.max(axis=1), kind="stable")
    cells = np.cumsum(lengths[order].prod(axis=1))
    begin = 0
    while begin < len(order):
        done = cells[begin - 1] if begin else 0
        end = min(int(np.searchsorted(cells, done + _CELLS, side="right")), begin + _PAIRS)
        end = max(end, begin + 1)
        yield order[begin:end]
        begin = end


def _counted(captions: np.ndarray, references: np.ndarray, corpus: Corpus) -> np.ndarray:
    """Returns (n, 23) counts of pairs of texts."""
    sides = PairSides.of(captions, corpus), PairSides.of(references, corpus)
    matched = matches(*sides, corpus)
    taken, chunks = chosen(matched, *sides)
    rows = np.zeros((len(captions), COLUMNS), dtype=np.int64)
    rows[:, CHUNKS] = chunks
    pair = sides[0].owners[matched.caption[taken]]
    for number, side in enumerate(sides):
        function = np.append(0, np.cumsum(corpus.function[side.words]))
        rows[:, number] = side.lengths
        rows[:, 2 + number] = np.diff(function[side.starts])
        first, length = _spans(matched, number, taken)
        light = function[first + length] - function[first]
        for kind, weights in ((0, length - light), (2, light)):
            cells = np.bincount(pair * 4 + matched.stage[taken], weights=weights, minlength=4 * len(rows))
            rows[:, 4 + number + kind : 20 : 4] = cells.reshape(-1, 4)
        rows[:, 21 + number] = np.bincount(pair, weights=length, minlength=len(rows))
    return rows


def _spans(matched: Matches, side: int, taken: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if side == 0:
        return matched.caption[taken], matched.caption_length[taken]
    return matched.reference[taken], matched.reference_length[taken]


def _best(rows: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Returns for each item the row of its best reference, the first of equal ones."""
    if (counts == 1).all():
        return rows
    item = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((np.arange(len(rows)), -meteor(rows), item))
    return np.asarray(rows[order[np.cumsum(counts) - counts]])
