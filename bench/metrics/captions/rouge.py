"""ROUGE-L as coco-caption computes it: precision and recall of the longest common subsequence, best over references.

The subsequence comes from bit arithmetic: a sentence of up to 64 words is one machine word, and all pairs take a step
at a time. Longer pairs use Python's integers, which have as many bits as it takes.

Where caption and reference have no words the score is 0 (coco-caption gives 1 when both are empty).

Source: Lin and Och, ACL 2004; bit-parallel form by Hyyrö, 2004.
"""

from __future__ import annotations

import numpy as np

from bench.metrics.captions.texts import Items, NumberedTexts, spread

BETA = 1.2
_BITS = 64


def rouge_l(texts: NumberedTexts, items: Items) -> np.ndarray:
    """Returns (n,) float64 ROUGE-L of each item, 0 to 1; the corpus score is their mean."""
    mine = items.captions[items.item_of_pair]
    common = common_lengths(texts, mine, items.references).astype(np.float64)
    precision = _best(common / np.maximum(texts.lengths[mine], 1), items)
    recall = _best(common / np.maximum(texts.lengths[items.references], 1), items)
    weighted = recall + BETA**2 * precision
    product = (1 + BETA**2) * precision * recall
    return np.asarray(np.divide(product, weighted, out=np.zeros_like(product), where=product != 0))


def common_lengths(texts: NumberedTexts, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns (p,) int64: the length of the longest common subsequence of each pair of sentences."""
    lengths = texts.lengths
    shorter = np.where(lengths[first] <= lengths[second], first, second)
    longer = np.where(lengths[first] <= lengths[second], second, first)
    result = np.zeros(len(first), dtype=np.int64)
    fits = (lengths[shorter] <= _BITS) & (lengths[shorter] > 0)
    at = np.flatnonzero(fits)
    at = at[np.argsort(-lengths[longer[at]], kind="stable")]
    result[at] = _in_machine_words(texts, shorter[at], longer[at])
    for pair in np.flatnonzero(~fits & (lengths[shorter] > 0)):
        result[pair] = _in_integers(_words(texts, shorter[pair]), _words(texts, longer[pair]))
    return result


def _best(values: np.ndarray, items: Items) -> np.ndarray:
    return np.asarray(np.maximum.reduceat(values, items.starts)) if len(values) else np.zeros(0)


def _in_machine_words(texts: NumberedTexts, shorter: np.ndarray, longer: np.ndarray) -> np.ndarray:
    """Returns the lengths for pairs whose shorter sentence has 1 to 64 words, ordered by falling length of the longer.

    Bit i of `free` is 1 while word i of the shorter sentence ends no longer common subsequence than the word before it.
    """
    lengths = texts.lengths
    if not len(shorter):
        return np.zeros(0, dtype=np.int64)
    masks = _matches(texts, shorter, longer)
    starts = lengths[longer].cumsum() - lengths[longer]
    free = np.full(len(shorter), ~np.uint64(0))
    for step in range(int(lengths[longer[0]])):
        active = int(np.searchsorted(-lengths[longer], -step))  # those that have a word here
        hit = free[:active] & masks[starts[:active] + step]
        free[:active] = (free[:active] + hit) | (free[:active] - hit)
    used = (~free) & (~np.uint64(0) >> (np.uint64(_BITS) - lengths[shorter].astype(np.uint64)))
    return np.asarray(np.unpackbits(used.view(np.uint8).reshape(len(used), 8), axis=1).sum(axis=1), dtype=np.int64)


def _matches(texts: NumberedTexts, shorter: np.ndarray, longer: np.ndarray) -> np.ndarray:
    """Returns, for each word of the longer sentences in turn, the bits of the places where the shorter one has it."""
    pair, place = spread(texts.lengths[shorter])
    starts = texts.ends - texts.lengths
    keys = pair * texts.vocabulary + texts.words[starts[shorter][pair] + place]
    order = np.argsort(keys, kind="stable")
    keys, bits = keys[order], np.uint64(1) << place[order].astype(np.uint64)
    first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    masks = np.bitwise_or.reduceat(bits, first)
    pair, place = spread(texts.lengths[longer])
    wanted = pair * texts.vocabulary + texts.words[starts[longer][pair] + place]
    at = np.minimum(np.searchsorted(keys[first], wanted), len(first) - 1)
    return np.where(keys[first][at] == wanted, masks[at], np.uint64(0))


def _in_integers(shorter: list[int], longer: list[int]) -> int:
    masks: dict[int, int] = {}
    for place, word in enumerate(shorter):
        masks[word] = masks.get(word, 0) | 1 << place
    whole = (1 << len(shorter)) - 1
    free = whole
    for word in longer:
        hit = free & masks.get(word, 0)
        free = ((free + hit) | (free - hit)) & whole
    return len(shorter) - free.bit_count()


def _words(texts: NumberedTexts, sentence: int) -> list[int]:
    end = int(texts.ends[sentence])
    words: list[int] = texts.words[end - int(texts.lengths[sentence]) : end].tolist()
    return words
