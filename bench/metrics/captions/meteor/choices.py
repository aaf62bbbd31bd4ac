"""What METEOR's search chooses among, and what it is worth to it.

Letters for shapes: `n` pairs, `m` matches, `r` words of all references, `w` rows of 64 caption words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.metrics.captions.meteor.matching import EXACT, Matches, PairSides


@dataclass(frozen=True)
class MatchChoices:
    """Matches as the search needs them.

    Attributes:
        fixed: (r,) int64 the fixed match that begins at each reference word, or -1.
        counts, begins: (r,) int64 how many others begin there, and the first of them in `order`.
        order: the others, by reference word.
        caption: (m,) int64 first caption word within its text; `after` the word behind the last one.
        until: (m,) int64 the reference word behind the match, within its text.
        distance: (m,) int64 between the first words of both.
        masks: (w, m) uint64 caption words, 64 to a row.
    """

    fixed: np.ndarray
    counts: np.ndarray
    begins: np.ndarray
    order: np.ndarray
    caption: np.ndarray
    after: np.ndarray
    until: np.ndarray
    distance: np.ndarray
    masks: np.ndarray


@dataclass(frozen=True)
class MatchWeights:
    """What a path's cost is made of: matched words, chunks and distance, from the high bits to the low.

    Attributes:
        matched, chunk: what one of each is worth.
        bits: of the whole cost.
    """

    matched: int
    chunk: int
    bits: int

    @classmethod
    def of(cls, captions: PairSides, references: PairSides, distances: np.ndarray) -> MatchWeights:
        """Returns weights under which no part overflows: a path's distance is at most that of all matches."""
        distance = int(distances.max(initial=0)).bit_length()
        chunks = int(references.lengths.max(initial=0) + 1).bit_length()
        matched = int((captions.lengths + references.lengths).max(initial=0)).bit_length()
        return cls(1 << distance + chunks, 1 << distance, distance + chunks + matched)

    def chunks(self, cost: np.ndarray) -> np.ndarray:
        return np.asarray((cost & (self.matched - 1)) // self.chunk)


def fixed_matches(matched: Matches, caption_words: int, reference_words: int) -> np.ndarray:
    """Returns (m,) bool: nothing else begins there, and nothing else covers any of its words."""
    begin = np.bincount(matched.reference, minlength=reference_words)
    kept = begin[matched.reference] == 1
    for first, length, words in (
        (matched.reference, matched.reference_length, reference_words),
        (matched.caption, matched.caption_length, caption_words),
    ):
        steps = np.bincount(first, minlength=words + 1) - np.bincount(first + length, minlength=words + 1)
        shared = np.append(0, np.cumsum(np.cumsum(steps) != 1))  # words before that are not covered exactly once
        kept &= shared[first + length] == shared[first]
    return np.asarray(kept)


def choices_of(matched: Matches, fixed: np.ndarray, captions: PairSides, references: PairSides) -> MatchChoices:
    """Returns matches as the search needs them, where `fixed` (m,) are not to be chosen among."""
    words = len(references.words)
    at = np.full(words, -1)
    at[matched.reference[fixed]] = np.flatnonzero(fixed)
    order = np.flatnonzero(~fixed)
    counts = np.bincount(matched.reference[order], minlength=words)
    owner = references.owners[matched.reference]
    caption = matched.caption - captions.starts[owner]
    place = matched.reference - references.starts[owner]
    rows = max(-(-int(captions.lengths.max(initial=0)) // 64), 1)
    masks = np.zeros((rows, len(matched)), dtype=np.uint64)
    for step in range(int(matched.caption_length.max(initial=0))):
        longer = np.flatnonzero(matched.caption_length > step)
        word = caption[longer] + step
        masks[word // 64, longer] |= np.uint64(1) << (word % 64).astype(np.uint64)
    return MatchChoices(
        fixed=at,
        counts=counts,
        begins=np.cumsum(counts) - counts,
        order=order,
        caption=caption,
        after=caption + matched.caption_length,
        until=place + matched.reference_length,
        distance=np.abs(place - caption),
        masks=masks,
    )


def worth(matched: Matches) -> np.ndarray:
    """Returns (m,) int64 words that each match counts in the search, on both sides together."""
    whole = matched.caption_length + matched.reference_length
    return np.asarray(
        np.where(matched.stage == EXACT, whole, matched.caption_length // 2 + matched.reference_length // 2)
    )
