"""CIDEr as coco-caption computes it, which is what papers print: counts clipped, and a penalty on length.

Vectors of n-gram counts weighted by log(items / items whose references have the n-gram); cosine of caption and
reference with each component of the caption clipped to the reference's; times exp(-(difference in bigrams)^2 / 72);
mean over n = 1-4 and over references, times 10. A corpus of one item gives 0: every n-gram is in all of it.

Source: Vedantam et al., CVPR 2015, section 6 (CIDEr-D), as in coco-caption's cider_scorer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.metrics.captions.ngrams import Counts, values_at
from bench.metrics.captions.texts import Items, NumberedTexts

SIGMA = 6.0


def cider(texts: NumberedTexts, orders: Sequence[Counts], items: Items, documents: Items | None = None) -> np.ndarray:
    """Returns (n,) float64 CIDEr of each item, 0 to 10; the corpus score is their mean.

    Args:
        documents: the items whose references give document frequencies, of the same corpora; None for `items`.
    """
    bigrams = np.maximum(texts.lengths - 1, 0)
    gap = (bigrams[items.captions][items.item_of_pair] - bigrams[items.references]).astype(np.float64)
    similarity = sum(_similarity(counts, items, documents or items) for counts in orders) * np.exp(
        -(gap**2) / (2 * SIGMA**2)
    )
    totals = np.bincount(items.item_of_pair, weights=similarity, minlength=len(items))
    return np.asarray(totals / len(orders) / items.counts * 10.0)


def _similarity(counts: Counts, items: Items, documents: Items) -> np.ndarray:
    """Returns (p,) float64: the clipped cosine of each pair, for n-grams of one length."""
    corpora, sizes = np.unique(documents.corpus, return_counts=True)
    corpus = np.searchsorted(corpora, items.corpus)
    log_items = np.log(sizes.astype(np.float64))
    pair, their_grams, times = counts.of(items.references)
    owner = items.item_of_pair[pair]
    item, my_grams, my_times = counts.of(items.captions)
    frequency = _frequency(counts, documents, np.searchsorted(corpora, documents.corpus), len(sizes))
    theirs = times * (log_items[corpus[owner]] - np.log(np.maximum(frequency.of(corpus[owner], their_grams), 1)))
    mine = my_times * (log_items[corpus[item]] - np.log(np.maximum(frequency.of(corpus[item], my_grams), 1)))

    # every n-gram of a reference looks itself up in the caption of its item
    here = values_at(item * counts.distinct + my_grams, mine, owner * counts.distinct + their_grams)
    products = np.bincount(pair, weights=np.minimum(here, theirs) * theirs, minlength=len(items.references))
    my_norm = np.sqrt(np.bincount(item, weights=mine**2, minlength=len(items)))[items.item_of_pair]
    their_norm = np.sqrt(np.bincount(pair, weights=theirs**2, minlength=len(items.references)))
    norms = my_norm * their_norm
    return np.asarray(np.divide(products, norms, out=np.zeros(len(products)), where=norms != 0))


def _frequency(counts: Counts, documents: Items, corpus: np.ndarray, corpora: int) -> _Documents:
    pair, grams, _ = counts.of(documents.references)
    return _Documents(counts.distinct, corpora, documents.item_of_pair[pair], grams, corpus)


class _Documents:
    """In how many items of its corpus an n-gram occurs in a reference."""

    def __init__(self, distinct: int, corpora: int, owner: np.ndarray, grams: np.ndarray, corpus: np.ndarray) -> None:
        keys = np.sort(owner * distinct + grams)  # sorting integers is much faster than np.unique's hashing
        once = keys[np.append(True, keys[1:] != keys[:-1])[: len(keys)]]  # an item with several references counts once
        owner, grams = once // max(distinct, 1), once % max(distinct, 1)
        self._distinct, self._keys = distinct, None
        if corpora == 1:
            self._counts = np.bincount(grams, minlength=distinct)
        else:
            self._keys, self._counts = np.unique(corpus[owner] * distinct + grams, return_counts=True)

    def of(self, corpus: np.ndarray, grams: np.ndarray) -> np.ndarray:
        if self._keys is None:
            return np.asarray(self._counts[grams])
        return values_at(self._keys, self._counts, corpus * self._distinct + grams)
