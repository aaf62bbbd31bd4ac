"""A decoder of words: how likely a sequence of words is under a condition, such as a video.

Words are numbers of a vocabulary of `V` words; the number V starts and ends every sequence.

Letters for shapes: `n` sequences, `R` steps in all, `C` conditions, `H` hidden size, `d` word dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from bench.api import Ragged
from bench_torch.lstm import LSTM, Memory
from bench_torch.packing import Packing
from bench_torch.text import SPREAD, WordVectors, select

GRID_ROWS = 4096
"""Pairs whose steps are taken together: enough for full speed, few enough to stay near the processor."""


class WordDecoder(nn.Module):
    """An LSTM that reads [condition ; previous word] at every step, and a linear layer to scores of the next word."""

    def __init__(self, words: WordVectors, hidden: int, condition: int) -> None:
        """`words` are the vectors it will be handed; `condition` is the size of a condition, 0 for none."""
        super().__init__()
        self.end = len(words.weight)
        self.condition = condition
        self.boundary = nn.Parameter(torch.randn(1, words.dim) * SPREAD)
        self.lstm = LSTM(condition + words.dim, hidden)
        self.output = nn.Linear(hidden, self.end + 1)

    def vectors(self, words: WordVectors, numbers: Tensor) -> Tensor:
        """Returns (*, d): the vectors of word numbers (*,), of which `end` has one of its own."""
        return nn.functional.embedding(numbers, torch.cat([words.weight, self.boundary]))

    def framed(self, words: Ragged) -> tuple[Ragged, Ragged]:
        """Returns what is read and what is to be said at each step: [end, w1 … wn] and [w1 … wn, end]."""
        lengths = words.lengths + 1
        ends = words.values.new_full((len(words.values) + len(words),), self.end)
        earlier = torch.arange(len(words)).repeat_interleave(words.lengths)  # sequences before that of each word
        places = words.beside(torch.arange(len(words.values)) + earlier)
        read, said = ends.index_put((places + 1,), words.values), ends.index_put((places,), words.values)
        return Ragged(read, lengths), Ragged(said, lengths)

    def project_condition(self, conditions: Tensor) -> Tensor:
        """Returns (C, 4H) for conditions (C, condition), biases included."""
        return nn.functional.linear(conditions, self.lstm.weights[0][:, : self.condition], self.lstm.bias)

    def project_words(self, vectors: Tensor) -> Tensor:
        """Returns (n, 4H) for word vectors (n, d)."""
        return nn.functional.linear(vectors, self.lstm.weights[0][:, self.condition :])

    def log_probabilities(self, states: Tensor, said: Tensor) -> Tensor:
        """Returns (R,) float32: log p of the word that is said, `said` (R,), after the states (R, H)."""
        with torch.autocast(states.device.type, enabled=False):
            return -nn.functional.cross_entropy(self.output(states.float()), said, reduction="none")

    def log_likelihood(self, text: Ragged, words: WordVectors, conditions: Tensor | None = None) -> Tensor:
        """Returns (n,) float32: log p of each sequence and its end, sequence i under condition i (n, condition)."""
        return sums(self.word_log_likelihoods(text, words, conditions))

    def word_log_likelihoods(self, text: Ragged, words: WordVectors, conditions: Tensor | None = None) -> Ragged:
        """Returns n sequences of float32: log p of each word of a sequence, and of its end."""
        read, said = self.framed(text)
        inputs = self.vectors(words, read.values)
        if conditions is not None:
            inputs = torch.cat([conditions.index_select(0, read.owners()), inputs], dim=1)
        states, _ = self.lstm(Ragged(inputs, read.lengths))
        return Ragged(self.log_probabilities(states.values, said.values), said.lengths)


def sums(sequences: Ragged) -> Tensor:
    """Returns (n,): the sum of each sequence of numbers."""
    return sequences.values.new_zeros(len(sequences)).index_add(0, sequences.owners(), sequences.values)


def grid_log_likelihood(
    decoder: WordDecoder, text: Ragged, words: WordVectors, conditions: Callable[[], Iterator[Tensor]], start: Memory
) -> Tensor:
    """Returns (n, C) float32: log p of every sequence and its end under every condition; without gradients.

    The input of a step is the sum of what comes from the condition and what comes from the word, each projected once
    for all pairs; only the recurrence and the scores of the next word are computed for each pair.

    Args:
        decoder, text, words: n sequences of word numbers, and the vectors of words.
        conditions: starts anew an endless walk over the conditions (C, condition) of each step.
        start: the memory of each condition before the first word, (C, H).
    """
    by_length = text.lengths.argsort(descending=True, stable=True)
    step = max(1, GRID_ROWS // len(start.hidden))
    with torch.no_grad(), torch.autocast(text.values.device.type, enabled=False):
        blocks = [
            _block(decoder, select(text, part), words, conditions(), start) for part in torch.split(by_length, step)
        ]
    return torch.cat(blocks)[text.beside(by_length.argsort())]


def _block(
    decoder: WordDecoder, text: Ragged, words: WordVectors, conditions: Iterator[Tensor], start: Memory
) -> Tensor:
    read, said = decoder.framed(text)
    packing = Packing.of(read.lengths, read.values.device)
    from_words = packing.pack(decoder.vectors(words, read.values))
    targets = packing.pack(said.values)
    width = len(start.hidden)
    memory = Memory(start.hidden.repeat(len(text), 1), start.cell.repeat(len(text), 1))
    total = start.hidden.new_zeros(len(text), width)
    begin = 0
    for size in packing.sizes:
        rows = slice(begin, begin + size)
        begin += size
        word, condition = decoder.project_words(from_words[rows]), decoder.project_condition(next(conditions))
        memory = decoder.lstm.step((word[:, None] + condition).flatten(0, 1), memory.first(size * width))
        scores = decoder.output(memory.hidden).view(size, width, -1)
        said_scores = scores.gather(2, targets[rows, None, None].expand(size, width, 1))[..., 0]
        total[:size] += said_scores - scores.logsumexp(dim=2)
    return total[packing.ranks]
