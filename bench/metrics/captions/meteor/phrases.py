"""Paraphrases of a reference in its caption, and of a caption in its reference.

METEOR looks for both, one after the other, so a pair that the table has both ways is found twice.

Letters for shapes as in `bench.metrics.captions.meteor.matching`; `k` distinct phrases of a pair, on one side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.captions.meteor.hashing import find
from bench.metrics.captions.texts import spread

if TYPE_CHECKING:
    from bench.metrics.captions.meteor.corpus import Corpus
    from bench.metrics.captions.meteor.matching import PairSides

_PLACES = 30
"""Bits for places in the order of matches."""


@dataclass(frozen=True)
class _Side:
    """Phrases of one side.

    Attributes:
        keys: (k,) int64, sorted: phrase * pairs + pair.
        begins: (k + 1,) where the occurrences of each begin.
        place, length: their first words, among those of the side, and lengths.
        counts: (phrases + 1,) int64, where the keys of each phrase begin.
    """

    keys: np.ndarray
    begins: np.ndarray
    place: np.ndarray
    length: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, side: PairSides, corpus: Corpus) -> _Side:
        phrases = corpus.phrases
        pair, within = spread(phrases.counts[side.texts])
        first = np.cumsum(phrases.counts) - phrases.counts
        chosen = first[side.texts][pair] + within
        phrase = phrases.phrase[chosen]
        keys = phrase * len(side.texts) + pair
        order = np.argsort(keys, kind="stable")
        keys, chosen = keys[order], chosen[order]
        begins = np.flatnonzero(np.diff(keys, prepend=-1))
        return cls(
            keys=keys[begins],
            begins=np.append(begins, len(keys)),
            place=side.starts[pair[order]] + phrases.place[chosen],
            length=phrases.length[chosen],
            counts=np.searchsorted(keys[begins], np.arange(phrases.number + 1) * len(side.texts)),
        )


def paraphrases(captions: PairSides, references: PairSides, corpus: Corpus, same: np.ndarray) -> tuple[np.ndarray, ...]:
    """Returns the columns of `Matches` (m,) each, unsorted, and a column (m,) by which those of one word are sorted."""
    n = len(captions.texts)
    mine, theirs = _Side.of(captions, corpus), _Side.of(references, corpus)
    parts = []
    for backwards in (False, True):
        order, one, other = _both(theirs, mine, corpus.live[::-1] if backwards else corpus.live, n)
        keep = ~same[theirs.keys[one] % max(n, 1)]
        parts.append(_occurrences((order[keep], one[keep], other[keep]), theirs, mine, backwards))
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


def _both(theirs: _Side, mine: _Side, live: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns live pairs by number, and the phrases of reference and caption, by key, wherever a pair has both."""
    phrase, other = live
    times = theirs.counts[phrase + 1] - theirs.counts[phrase], mine.counts[other + 1] - mine.counts[other]
    there = np.flatnonzero((times[0] > 0) & (times[1] > 0))
    fewer = times[0][there] <= times[1][there]
    parts = []
    for chosen, near, far, wanted, looked in (
        (there[fewer], theirs, mine, phrase, other),
        (there[~fewer], mine, theirs, other, phrase),
    ):
        begin = near.counts[wanted[chosen]]
        group, within = spread(near.counts[wanted[chosen] + 1] - begin)
        here = begin[group] + within
        beyond = find(far.keys, near.keys[here] + ((looked - wanted)[chosen] * n)[group])
        hit = np.flatnonzero(beyond >= 0)
        pair = (chosen[group[hit]], here[hit], beyond[hit])
        parts.append(pair if near is theirs else (pair[0], pair[2], pair[1]))
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))  # type: ignore[return-value]


def _occurrences(
    hits: tuple[np.ndarray, np.ndarray, np.ndarray], theirs: _Side, mine: _Side, backwards: bool
) -> tuple[np.ndarray, ...]:
    """Returns a match for every two occurrences of the phrases that were found."""
    number, one, other = hits
    counts = np.diff(theirs.begins)[one], np.diff(mine.begins)[other]
    hit, within = spread(counts[0] * counts[1])
    width = counts[1][hit]
    reference = theirs.begins[one[hit]] + within // np.maximum(width, 1)
    caption = mine.begins[other[hit]] + within % np.maximum(width, 1)
    place = mine.place[caption]
    if backwards:  # by place in the caption, shorter phrases first, then as the table has them
        minor = (1 << 61) + (place << _PLACES) + (mine.length[caption] << 26) + number[hit]
    else:  # shorter phrases first, then as the table has them, then by place in the caption
        minor = (theirs.length[reference] << 58) + (number[hit] << _PLACES) + place
    stage = np.full(len(hit), 3)
    return theirs.place[reference], theirs.length[reference], place, mine.length[caption], stage, minor
