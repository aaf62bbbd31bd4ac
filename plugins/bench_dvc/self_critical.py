"""Self-critical training: sentences that are drawn are made likelier by how much better they are than greedy ones.

The gradient of the expected reward is that of -(r(drawn) - r(greedy)) log p(drawn), on average over what is drawn: the
greedy sentence of the same segment is the baseline, so that no critic has to be learnt.

Letters for shapes: `n` segments, `H` hidden size.

Source: Rennie et al., "Self-Critical Sequence Training for Image Captioning", CVPR 2017, equations 5 to 8.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.api import Ragged
from bench_torch.decoding import WordDecoder
from bench_torch.lstm import Memory
from bench_torch.search import PATIENCE
from bench_torch.text import UNKNOWN_NUMBER, WordVectors


def drawn(decoder: WordDecoder, words: WordVectors, conditions: Tensor, most: int) -> Tensor:
    """Returns (n, most) int64: for each condition a sentence drawn word by word, then the end.

    A sentence of `most` words ends there. The unknown word is never drawn.
    """
    count = len(conditions)
    said = torch.full((count, most), decoder.end, device=conditions.device)
    last = said.new_full((count,), decoder.end)
    with torch.no_grad(), torch.autocast(conditions.device.type, enabled=False):
        projected, memory = decoder.project_condition(conditions.float()), Memory.empty(count, decoder.lstm)
        for place in range(most):
            memory = decoder.lstm.step(decoder.project_words(decoder.vectors(words, last)) + projected, memory)
            scores = decoder.output(memory.hidden)
            scores[:, UNKNOWN_NUMBER] = -torch.inf
            ended = last == decoder.end if place else torch.zeros_like(last, dtype=torch.bool)
            last = one_each(scores.softmax(dim=1)).masked_fill(ended, decoder.end)
            said[:, place] = last
            if place % PATIENCE == PATIENCE - 1 and not last.is_cuda and bool((last == decoder.end).all()):
                break  # a GPU draws on: nobody waits for it, and what is drawn next does not depend on its speed
    return said


def one_each(probabilities: Tensor) -> Tensor:
    """Returns (n,) int64: for each row of probabilities (n, choices) one choice drawn.

    As `torch.multinomial` draws it, which asks a GPU first whether the probabilities are sound, and waits.
    """
    return (probabilities / torch.empty_like(probabilities).exponential_()).argmax(dim=1)


def sentences_of(said: Tensor, end: int) -> Ragged:
    """Returns rows of words and then the end, (n, most) int64 on the CPU, as n sequences of words."""
    return Ragged(said[said != end], (said != end).sum(dim=1))


def self_critical_loss(log_likelihoods: Ragged, most: int, advantages: Tensor) -> Tensor:
    """Returns the loss whose gradient is that of minus the expected reward, per word.

    Args:
        log_likelihoods: n sequences, log p of each word of a drawn sentence and of its end.
        most: words after which a sentence was made to end; that end was no choice and does not count.
        advantages: (n,) reward of the drawn sentence minus that of the greedy one; on the CPU.
    """
    lengths = log_likelihoods.lengths
    chosen = torch.ones(int(lengths.sum()))
    chosen[lengths.cumsum(0)[lengths > most] - 1] = 0.0
    weights = log_likelihoods.beside(advantages.to(chosen).repeat_interleave(lengths) * chosen)
    return -(weights * log_likelihoods.values).sum() / chosen.sum()
