"""Tokenised captions and references as integers, encoded once and shared by all metrics.

Letters for shapes: `n` items, `p` pairs of an item with one of its references, `s` distinct sentences, `t` tokens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NumberedTexts:
    """Distinct sentences as word numbers.

    Attributes:
        words: (t,) int64 word numbers, sentence after sentence.
        lengths: (s,) int64 words of each sentence; 0 for one without words.
        vocabulary: number of distinct words.
    """

    words: np.ndarray
    lengths: np.ndarray
    vocabulary: int

    @property
    def ends(self) -> np.ndarray:
        """(s,) int64: where each sentence ends in `words`."""
        return np.asarray(self.lengths.cumsum())


@dataclass(frozen=True)
class Items:
    """Which sentence is compared with which: one caption for each item, at least one reference.

    Attributes:
        captions: (n,) int64 sentence numbers.
        references: (p,) int64 sentence numbers, those of an item beside one another.
        counts: (n,) int64 references of each item, at least 1.
        corpus: (n,) int64, rising: the corpus of each item, whose references alone give CIDEr's document frequencies.
    """

    captions: np.ndarray
    references: np.ndarray
    counts: np.ndarray
    corpus: np.ndarray

    def __len__(self) -> int:
        return len(self.captions)

    def split(self, count: int) -> tuple[Items, Items]:
        """Returns the first `count` items and the others."""
        pairs = int(self.counts[:count].sum())
        parts = (slice(None, count), slice(None, pairs)), (slice(count, None), slice(pairs, None))
        first, others = (
            Items(self.captions[own], self.references[theirs], self.counts[own], self.corpus[own])
            for own, theirs in parts
        )
        return first, others

    @property
    def item_of_pair(self) -> np.ndarray:
        """(p,) int64: the item of each reference."""
        return np.repeat(np.arange(len(self)), self.counts)

    @property
    def starts(self) -> np.ndarray:
        """(n,) int64: the first reference of each item."""
        return np.asarray(self.counts.cumsum() - self.counts)


def encode(sentences: Sequence[str], separator: str | None = None) -> NumberedTexts:
    """Returns sentences as numbers: cut at any white space, or at the `separator` alone."""
    return numbered(sentences, separator)[0]


def numbered(sentences: Sequence[str], separator: str | None = None) -> tuple[NumberedTexts, list[str]]:
    """Returns sentences as numbers, and the words in the order of these."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    words: list[int] = []
    lengths = np.zeros(len(sentences), dtype=np.int64)
    for place, sentence in enumerate(sentences):
        before = len(words)
        words.extend(map(numbers.__getitem__, sentence.split(separator) if sentence else ()))
        lengths[place] = len(words) - before
    return NumberedTexts(np.array(words, dtype=np.int64), lengths, len(numbers)), list(numbers)


def cut_at_spaces(sentences: Sequence[str], texts: NumberedTexts) -> NumberedTexts:
    """Returns the texts cut at spaces alone, as coco-caption does for ROUGE-L only: PTB's `1 1/2` is one word there."""
    if not any("\xa0" in sentence for sentence in sentences):
        return texts
    return encode(sentences, " ")


def number_items(
    captions: Sequence[str], references: Sequence[Sequence[str]], corpus: np.ndarray | None = None
) -> tuple[list[str], Items]:
    """Returns the distinct sentences, and the items that name them by number.

    Args:
        captions: (n,) tokenised captions.
        references: (n,) tokenised references of each, at least one.
        corpus: (n,) int64; None for a single corpus.
    """
    numbers: dict[str, int] = {}
    mine = [numbers.setdefault(caption, len(numbers)) for caption in captions]
    theirs = [numbers.setdefault(text, len(numbers)) for texts in references for text in texts]
    counts = np.fromiter(map(len, references), dtype=np.int64, count=len(references))
    return list(numbers), Items(
        captions=np.array(mine, dtype=np.int64),
        references=np.array(theirs, dtype=np.int64),
        counts=counts,
        corpus=np.zeros(len(mine), dtype=np.int64) if corpus is None else corpus,
    )


def spread(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns, for groups of `counts` (g,) elements, the group of each element and its place within the group."""
    group = np.repeat(np.arange(len(counts)), counts)
    return group, np.arange(len(group)) - np.repeat(counts.cumsum() - counts, counts)
