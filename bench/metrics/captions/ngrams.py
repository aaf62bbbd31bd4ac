"""Counts of n-grams by sorting integers; no loop over sentences or words.

An n-gram is a number: that of its first n - 1 words, joined to its last word. The counts of a sentence are sorted runs.

Letters for shapes: `s` sentences, `g` distinct n-grams of a sentence, summed over all sentences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.metrics.captions.texts import NumberedTexts, spread

ORDERS = 4


@dataclass(frozen=True)
class Counts:
    """How often each n-gram of one length occurs in each sentence.

    Attributes:
        grams: (g,) int64 n-gram numbers, sentence after sentence and rising within each.
        counts: (g,) int64 at least 1.
        lengths: (s,) int64 distinct n-grams of each sentence.
        distinct: number of n-grams that occur anywhere.
    """

    grams: np.ndarray
    counts: np.ndarray
    lengths: np.ndarray
    distinct: int

    def of(self, sentences: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns row, n-gram and count of every n-gram of the given sentences; `row` numbers the sentences given."""
        row, place = spread(self.lengths[sentences])
        at = (self.lengths.cumsum() - self.lengths)[sentences][row] + place
        return row, self.grams[at], self.counts[at]


def ngram_counts(texts: NumberedTexts) -> Iterator[Counts]:
    """Yields the counts of n-grams for n = 1, 2, 3, 4."""
    sentence, place = spread(texts.lengths)
    left = texts.lengths[sentence] - place  # words from here to the sentence's end
    grams, size = texts.words, texts.vocabulary
    for order in range(1, ORDERS + 1):
        if order > 1:
            following = np.append(texts.words[order - 1 :], np.zeros(min(order - 1, len(texts.words)), dtype=np.int64))
            distinct, grams = np.unique(grams * (texts.vocabulary + 1) + following, return_inverse=True)
            size = len(distinct)
        whole = left >= order
        keys, counts = np.unique(sentence[whole] * (size + 1) + grams[whole], return_counts=True)
        owner = keys // (size + 1)
        yield Counts(
            grams=keys % (size + 1),
            counts=counts.astype(np.int64),
            lengths=np.bincount(owner, minlength=len(texts.lengths)).astype(np.int64),
            distinct=size,
        )


def values_at(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Returns the value of each wanted key, 0 where it is not among the `keys`, which rise."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=values.dtype)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)
