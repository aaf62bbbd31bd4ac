"""Which words of a vocabulary share a synset of WordNet, as METEOR looks them up.

A word has its own synsets and those of its base: of each base that is listed for an irregular form, else what is left
by the first suffix rule that gives a word with synsets. Parts of speech are not told apart.

Source: Miller, "WordNet: a lexical database for English", CACM 1995 (the rules of its Morphy).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.metrics.captions.meteor.hashing import find, word_numbers
from bench.metrics.captions.meteor.table import ParaphraseTable
from bench.metrics.captions.texts import spread

_RULES = (
    *(("s", ""), ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("men", "man")),
    *(("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")),
    *(("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
)
"""Endings and what replaces them, in WordNet's order."""
_ENDINGS = tuple({ending[-1] for ending, _ in _RULES})


def synonyms(words: Sequence[str], numbers: np.ndarray, word_of: np.ndarray, table: ParaphraseTable) -> np.ndarray:
    """Returns (k,) int64, sorted: `word * v + other` for every two of `v` words that share a synset.

    Args:
        numbers: (v,) uint64 of the words.
        word_of: (v,) int64: the number each word counts under.
    """
    known = table.arrays["words"]
    own = find(known, numbers)
    owners, entries = [np.flatnonzero(own >= 0)], [own[own >= 0]]
    forms, bases = table.arrays["forms"], table.arrays["bases"]
    first, last = (np.searchsorted(forms, numbers, side=side) for side in ("left", "right"))
    owner, within = spread(last - first)
    owners.append(owner)
    entries.append(bases[first[owner] + within].astype(np.int64))
    owner, entry = _regular(words, np.flatnonzero(first == last), known)
    owners.append(owner)
    entries.append(entry)
    owner, entry = np.concatenate(owners), np.concatenate(entries)
    owner, entry = owner[entry >= 0], entry[entry >= 0]
    offsets = table.arrays["word_offsets"]
    begin, end = (offsets[entry + step].astype(np.int64) for step in (0, 1))
    group, within = spread(end - begin)
    rows = np.unique(table.arrays["synsets"][begin[group] + within].astype(np.int64) * len(words) + owner[group])
    return _pairs(rows // max(len(words), 1), rows % max(len(words), 1), word_of)


def _regular(words: Sequence[str], places: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns places of words, and of their bases among the known words: the first rule whose result is known."""
    owners, candidates = [], []
    for place in places.tolist():
        word = words[place]
        if len(word) <= 2 or not word.endswith(_ENDINGS) or word.endswith("ss"):
            continue
        for ending, instead in _RULES:
            if word.endswith(ending):
                owners.append(place)
                candidates.append(word.removesuffix(ending) + instead)
    owner = np.array(owners, dtype=np.int64)
    entry = find(known, word_numbers(candidates))
    owner, entry = owner[entry >= 0], entry[entry >= 0]
    _, first = np.unique(owner, return_index=True)
    return owner[first], entry[first]


def _pairs(synset: np.ndarray, owner: np.ndarray, word_of: np.ndarray) -> np.ndarray:
    """Returns the sorted keys of all two different words under one synset; rows are sorted by synset."""
    begins = np.flatnonzero(np.diff(synset, prepend=-1))
    sizes = np.diff(np.append(begins, len(synset)))
    size = np.repeat(sizes, sizes)
    left, within = spread(size)
    right = np.repeat(begins, sizes)[left] + within
    one, other = word_of[owner[left]].astype(np.int64), word_of[owner[right]].astype(np.int64)
    return np.unique((one * len(word_of) + other)[one != other])
