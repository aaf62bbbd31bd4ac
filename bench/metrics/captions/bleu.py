"""BLEU@1-4 as coco-caption computes it: clipped counts, the closest reference length, and tiny terms against zeros.

The counts of any set of items add up, so BLEU of a corpus, of one item or of resampled videos comes from the same rows.

Source: Papineni et al., ACL 2002; the terms 1e-15 and 1e-9 from coco-caption's bleu_scorer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.metrics.captions.ngrams import ORDERS, Counts, values_at
from bench.metrics.captions.texts import Items, NumberedTexts

COLUMNS = ORDERS + ORDERS + 2
"""Clipped matches of each order, n-grams of each order, words of the caption, words of the closest reference."""
_TINY, _SMALL = 1e-15, 1e-9


def bleu_counts(texts: NumberedTexts, orders: Sequence[Counts], items: Items) -> np.ndarray:
    """Returns (n, 10) int64 as `COLUMNS` says."""
    words = texts.lengths[items.captions]
    rows = [_clipped(counts, items) for counts in orders]
    rows += [np.maximum(words - order, 0) for order in range(ORDERS)]
    return np.stack([*rows, words, _closest(words, texts.lengths[items.references], items)], axis=1)


def bleu(counts: np.ndarray) -> np.ndarray:
    """Returns (..., 4) float64 BLEU@1-4, 0 to 1, of added counts (..., 10)."""
    totals = counts.astype(np.float64)
    precisions = (totals[..., :ORDERS] + _TINY) / (totals[..., ORDERS : 2 * ORDERS] + _SMALL)
    values = np.cumprod(precisions, axis=-1) ** (1.0 / np.arange(1, ORDERS + 1))
    ratio = (totals[..., -2] + _TINY) / (totals[..., -1] + _SMALL)
    # exp(1 - 1/ratio) of an empty caption underflows to 0, as it should
    penalty = np.where(ratio < 1, np.exp(np.minimum(1.0 - 1.0 / ratio, 0.0)), 1.0)
    return np.asarray(values * penalty[..., None])


def _clipped(counts: Counts, items: Items) -> np.ndarray:
    """Returns (n,) matches: each n-gram of a caption counts at most as often as in the reference that has it most."""
    pair, grams, times = counts.of(items.references)
    keys = items.item_of_pair[pair] * counts.distinct + grams
    order = np.lexsort((times, keys))
    keys, times = keys[order], times[order]
    last = np.append(keys[1:] != keys[:-1], True) if len(keys) else np.zeros(0, dtype=bool)
    item, grams, mine = counts.of(items.captions)
    most = values_at(keys[last], times[last], item * counts.distinct + grams)
    return np.bincount(item, weights=np.minimum(mine, most), minlength=len(items)).astype(np.int64)


def _closest(words: np.ndarray, references: np.ndarray, items: Items) -> np.ndarray:
    """Returns (n,) the reference length closest to the caption's; the shorter of two that are equally close."""
    distance = np.abs(references - words[items.item_of_pair])
    order = np.lexsort((references, distance, items.item_of_pair))
    return np.asarray(references[order][items.starts])
