"""The attributes of DVC: which words they are, and what is learnt of them.

Letters for shapes: `S` segments, `n` sentences, `A` attributes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bench.api import Ragged
from bench_torch.candidates import Candidates
from bench_torch.text import UNKNOWN_NUMBER, Text


def frequent_words(text: Text, vocabulary: int, count: int) -> Tensor:
    """Returns (count,) int64: numbers of the words that most sentences have, the unknown word left out.

    Args:
        text: the training text.
        vocabulary: how many words there are, more than `count`.
    """
    keys = text.sentences.owners() * vocabulary + text.sentences.values
    sentences = torch.bincount(torch.unique(keys) % vocabulary, minlength=vocabulary)
    sentences[UNKNOWN_NUMBER] = -1
    return sentences.argsort(descending=True, stable=True)[:count]


def attribute_loss(logits: Tensor, pairs: Candidates, sentences: Ragged, places: Tensor) -> Tensor:
    """Returns the binary cross-entropy of the attributes, summed over them, mean over sentences.

    Args:
        logits: (S, A) float32.
        pairs: which segment each sentence describes; among several each counts equally.
        sentences: n sequences of word numbers.
        places: (words,) int64, which attribute a word is, A for none.
    """
    count = logits.shape[1]
    has = logits.new_zeros(len(sentences), count + 1)
    has[sentences.owners(), places[sentences.values]] = 1.0
    each = functional.binary_cross_entropy_with_logits(
        logits[pairs.segments], has[pairs.sentences, :count], reduction="none"
    )
    shares = 1 / pairs.counts[pairs.sentences]
    return (each.sum(dim=1) * shares).sum() / len(sentences)
