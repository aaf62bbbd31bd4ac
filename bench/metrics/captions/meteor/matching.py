"""Which words and phrases of a reference METEOR may pair with which of the caption.

Four stages: equal words, equal stems, synonyms, paraphrases. The stages do not exclude one another: a pair of words may
match by several. Texts that are the same match by equal words alone.

Letters for shapes: `n` pairs of a caption and a reference, `c` and `r` words of all captions and references, one after
another, `m` matches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.metrics.captions.meteor.corpus import Corpus
from bench.metrics.captions.meteor.hashing import find
from bench.metrics.captions.meteor.phrases import paraphrases
from bench.metrics.captions.texts import spread

EXACT, STEM, SYNONYM, PARAPHRASE = range(4)
_CELLS = 1 << 20
"""Words of captions against words of references that are compared at once."""
_FILTER_BITS = 20
_Part = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class PairSides:
    """The two sides of a block of pairs.

    Attributes:
        texts: (n,) int64 numbers of the texts.
        lengths: (n,) int64 their words.
        starts: (n + 1,) int64 where each begins among the words of its side.
        words: (c,) or (r,) int64 places in the corpus.
    """

    texts: np.ndarray
    lengths: np.ndarray
    starts: np.ndarray
    words: np.ndarray

    @classmethod
    def of(cls, texts: np.ndarray, corpus: Corpus) -> PairSides:
        lengths = corpus.lengths[texts]
        owner, within = spread(lengths)
        return cls(texts, lengths, np.append(0, np.cumsum(lengths)), corpus.starts[texts][owner] + within)

    @property
    def owners(self) -> np.ndarray:
        """The pair each word belongs to."""
        return np.repeat(np.arange(len(self.texts)), self.lengths)


@dataclass(frozen=True)
class Matches:
    """Matches, by first reference word, then stage, then METEOR's order. All (m,) int64.

    Attributes:
        reference, caption: the first word on each side, among the words of all.
        reference_length, caption_length: how many words.
        stage: 0 to 3.
    """

    reference: np.ndarray
    reference_length: np.ndarray
    caption: np.ndarray
    caption_length: np.ndarray
    stage: np.ndarray

    def __len__(self) -> int:
        return len(self.stage)


def matches(captions: PairSides, references: PairSides, corpus: Corpus) -> Matches:
    """Returns every match of each pair."""
    same = captions.texts == references.texts
    nothing = (np.zeros(0, dtype=np.int64),) * 3
    single = (nothing, *_words(captions, references, corpus, same))
    several = paraphrases(captions, references, corpus, same)
    reference, caption, stage = (np.concatenate(column) for column in zip(*single, strict=True))
    one = np.ones(len(stage), dtype=np.int64)
    columns = (reference, one, caption, one, stage)
    joined = [np.concatenate([a, b]) for a, b in zip(columns, several[:5], strict=True)]
    minor = np.concatenate([caption, several[5]])
    order = np.lexsort((minor, joined[0] * 8 + joined[4]))
    return Matches(*(column[order] for column in joined))


@dataclass(frozen=True)
class _Synonyms:
    """Which words are synonyms: a filter that lets few others through, and the sorted keys of those that are."""

    likely: np.ndarray
    keys: np.ndarray
    distinct: int

    @classmethod
    def of(cls, corpus: Corpus) -> _Synonyms:
        likely = np.zeros(1 << _FILTER_BITS, dtype=bool)
        word, other = corpus.synonyms // max(corpus.distinct, 1), corpus.synonyms % max(corpus.distinct, 1)
        likely[_hashed(word.astype(np.int32), other.astype(np.int32))] = True
        return cls(likely, corpus.synonyms, corpus.distinct)

    def among(self, word: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Returns the places at which two words (k,) are synonyms."""
        some = np.flatnonzero(self.likely[_hashed(word, other)])
        return np.asarray(some[find(self.keys, word[some].astype(np.int64) * self.distinct + other[some]) >= 0])


def _hashed(word: np.ndarray, other: np.ndarray) -> np.ndarray:
    mixed = word * np.int32(40503) + other * np.int32(11)
    return np.asarray(np.bitwise_and(mixed, np.int32((1 << _FILTER_BITS) - 1)))


def _words(captions: PairSides, references: PairSides, corpus: Corpus, same: np.ndarray) -> Iterator[_Part]:
    """Yields reference word, caption word and stage of all matches of single words."""
    known = _Synonyms.of(corpus)
    owners = references.owners
    cells = captions.lengths[owners]  # of each reference word: one with every word of the caption
    for part in _parts(cells):
        reference, within = spread(cells[part])
        reference += part.start
        caption = captions.starts[owners[reference]] + within
        mine, theirs = captions.words[caption], references.words[reference]
        word, other = corpus.words[mine], corpus.words[theirs]
        equal = word == other
        differ = ~(equal | same[owners[reference]])
        stems = (corpus.stems[mine] == corpus.stems[theirs]) & differ
        synonyms = known.among(word, other)
        by_stage = (np.flatnonzero(equal), np.flatnonzero(stems), synonyms[differ[synonyms]])
        for stage, places in zip((EXACT, STEM, SYNONYM), by_stage, strict=True):
            yield reference[places], caption[places], np.full(len(places), stage)


def _parts(cells: np.ndarray) -> Iterator[slice]:
    """Yields parts of the reference words (r,) whose cells fit into memory, at least one word at a time."""
    sums = np.cumsum(cells)
    begin = 0
    while begin < len(cells):
        end = int(np.searchsorted(sums, (sums[begin - 1] if begin else 0) + _CELLS, side="right"))
        yield slice(begin, max(end, begin + 1))
        begin = max(end, begin + 1)
