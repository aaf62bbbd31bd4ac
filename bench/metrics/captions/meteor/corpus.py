"""The texts of a scoring as METEOR sees them: words by number, their stems and synonyms, and the phrases in the table.

Letters for shapes: `s` distinct texts, `t` words of all texts one after another, `v` distinct words, `o` occurrences of
phrases, `l` live pairs: a phrase and its paraphrase that both occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.metrics.captions.meteor.building import bloom_places
from bench.metrics.captions.meteor.hashing import Spans, find, java_hash, word_numbers
from bench.metrics.captions.meteor.normalising import normalised
from bench.metrics.captions.meteor.stemming import stem
from bench.metrics.captions.meteor.synonyms import synonyms
from bench.metrics.captions.meteor.table import ParaphraseTable
from bench.metrics.captions.texts import numbered, spread

LONGEST = 7
"""Words of the longest phrase in the table."""


@dataclass(frozen=True)
class Corpus:
    """Texts as numbers.

    Attributes:
        words: (t,) int32; words of one Java hash have one number.
        stems: (t,) int32 numbers of their stems.
        function: (t,) bool, whether each is a function word.
        lengths: (s,) int64 words of each text.
        starts: (s,) int64 where each begins.
        synonyms: (k,) int64, sorted: `word * distinct + other` of words that share a synset.
        distinct: number of distinct words.
        phrases: the occurrences of phrases that some text has a paraphrase of.
        live: (2, l) int64 phrase and paraphrase, in the order of the table.
    """

    words: np.ndarray
    stems: np.ndarray
    function: np.ndarray
    lengths: np.ndarray
    starts: np.ndarray
    synonyms: np.ndarray
    distinct: int
    phrases: Phrases
    live: np.ndarray


@dataclass(frozen=True)
class Phrases:
    """Occurrences of phrases, text after text.

    Attributes:
        counts: (s,) int64 occurrences in each text.
        place: (o,) int64 of the first word within the text.
        length: (o,) int64 words.
        phrase: (o,) int64 number among the live phrases.
        number: how many live phrases there are.
    """

    counts: np.ndarray
    place: np.ndarray
    length: np.ndarray
    phrase: np.ndarray
    number: int


def read(lines: Sequence[str], table: ParaphraseTable) -> Corpus:
    """Returns lines as METEOR sees them."""
    texts, vocabulary = numbered(normalised(lines, table), " ")
    hashes = np.fromiter(map(java_hash, vocabulary), dtype=np.int64, count=len(vocabulary))
    _, word_of = np.unique(hashes, return_inverse=True)
    stems = np.fromiter((java_hash(stem(word)) for word in vocabulary), dtype=np.int64, count=len(vocabulary))
    _, stem_of = np.unique(stems, return_inverse=True)
    function = np.fromiter((word in table.function for word in vocabulary), dtype=bool, count=len(vocabulary))
    keys = word_numbers(vocabulary)
    starts = texts.ends - texts.lengths
    phrases, live = _phrases(keys[texts.words], texts.lengths, starts, table)
    return Corpus(
        words=word_of[texts.words].astype(np.int32),
        stems=stem_of[texts.words].astype(np.int32),
        function=function[texts.words],
        lengths=texts.lengths,
        starts=starts,
        synonyms=synonyms(vocabulary, keys, word_of, table),
        distinct=len(vocabulary),
        phrases=phrases,
        live=live,
    )


def _phrases(
    keys: np.ndarray, lengths: np.ndarray, starts: np.ndarray, table: ParaphraseTable
) -> tuple[Phrases, np.ndarray]:
    """Returns the occurrences of live phrases, and the live pairs."""
    word, length, number = _known(keys, np.repeat(starts + lengths, lengths), table)
    distinct, phrase = np.unique(number, return_inverse=True)
    source, target = (find(table.arrays[name], distinct) for name in ("sources", "targets"))
    live = _live(source, target, table)
    alive = np.zeros(len(distinct), dtype=bool)
    alive[live.ravel()] = True
    renumbered = np.cumsum(alive) - 1
    kept = np.flatnonzero(alive[phrase])
    kept = kept[np.lexsort((length[kept], word[kept]))]
    text = np.searchsorted(starts + lengths, word[kept], side="right")
    phrases = Phrases(
        counts=np.bincount(text, minlength=len(lengths)),
        place=word[kept] - starts[text],
        length=length[kept],
        phrase=renumbered[phrase[kept]],
        number=int(alive.sum()),
    )
    return phrases, renumbered[live]


def _known(keys: np.ndarray, ends: np.ndarray, table: ParaphraseTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns first word, length and number (o,) of all spans that may be phrases of the table."""
    spans, bloom = Spans(keys), table.arrays["bloom"]
    places = np.arange(len(keys))
    by_length: list[tuple[np.ndarray, np.ndarray]] = []
    for length in range(1, LONGEST + 1):
        places = places[places + length <= ends[places]]
        numbers = spans.of(places, places + length)
        byte, bit = bloom_places(numbers)
        there = np.flatnonzero(bloom[byte] & bit)
        by_length.append((places[there], numbers[there]))
    lengths = np.repeat(np.arange(1, LONGEST + 1), [len(places) for places, _ in by_length])
    return (
        np.concatenate([places for places, _ in by_length]),
        lengths,
        np.concatenate([numbers for _, numbers in by_length]),
    )


def _live(source: np.ndarray, target: np.ndarray, table: ParaphraseTable) -> np.ndarray:
    """Returns (2, l): the pairs of phrase and paraphrase that both occur, as places among the phrases that do."""
    phrases = np.flatnonzero(source >= 0)
    offsets = table.arrays["offsets"].astype(np.int64) if len(phrases) > 10_000 else table.arrays["offsets"]
    begin, end = (np.asarray(offsets[source[phrases] + step]).astype(np.int64) for step in (0, 1))
    group, within = spread(end - begin)
    pairs = table.arrays["pairs"][begin[group] + within]
    paraphrases = np.flatnonzero(target >= 0)
    there = np.zeros(len(table.arrays["targets"]), dtype=bool)
    there[target[paraphrases]] = True
    kept = np.flatnonzero(there[pairs])
    other = paraphrases[np.searchsorted(target[paraphrases], pairs[kept])]
    return np.stack([phrases[group[kept]], other])
