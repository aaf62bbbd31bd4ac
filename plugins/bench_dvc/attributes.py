"""The attributes of DVC: which words they are, and what is learnt of them.

Letters for shapes: `S` segments, `n` sentences, `A` attributes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from bench.api import Ragged
from bench_torch.candidates import Candidates
from bench_torch.text import UNKNOWN_NUMBER, Text
from bench_torch.transfer import beside

_CLOSED = (
    "a an the this that these those each every either neither some any no all both half such another other "
    "others i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself "
    "she her hers herself it its itself they them their theirs themselves one ones oneself who whom whose which "
    "what whoever whatever someone somebody something anyone anybody anything everyone everybody everything "
    "nobody nothing none about above across after against along alongside amid among around as at before behind "
    "below beneath beside besides between beyond by despite down during except for from in inside into like "
    "near of off on onto opposite out outside over past per since through throughout till to toward towards "
    "under underneath until unto up upon via with within without and but or nor so yet if now then else than "
    "because although though unless while whereas whether when whenever where wherever why how once am is are "
    "was were be been being have has had having do does did doing done can could may might must shall should "
    "will would ought ca wo sha cannot not n't 's 're 've 'll 'd 'm ' there here too very just also only even "
    "again still"
)
"""The closed classes of English: determiners, pronouns, prepositions, conjunctions, auxiliaries, and the adverbs that
stand with any verb; clitics as the tokeniser cuts them."""
FUNCTION_WORDS = frozenset(_CLOSED.split())


def is_content(word: str) -> bool:
    """Whether a lower-cased word names something: a word of letters or digits that is no function word."""
    return word not in FUNCTION_WORDS and any(character.isalnum() for character in word)


def frequent_words(text: Text, words: Sequence[str], count: int) -> Tensor:
    """Returns (count,) int64: numbers of the content words that most sentences have, the unknown word left out.

    Args:
        text: the training text.
        words: by number, at least `count` of them content words.
    """
    vocabulary = len(words)
    keys = text.sentences.owners() * vocabulary + text.sentences.values
    sentences = torch.bincount(torch.unique(keys) % vocabulary, minlength=vocabulary)
    sentences[[not is_content(word) for word in words]] = -1
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
    told, told_of = beside(pairs.sentences, logits), beside(pairs.segments, logits)
    each = functional.binary_cross_entropy_with_logits(logits[told_of], has[told, :count], reduction="none")
    shares = beside(1 / pairs.counts[pairs.sentences], logits)
    return (each.sum(dim=1) * shares).sum() / len(sentences)
