"""Paragraphs as word numbers, and the part of a network that reads them.

Letters for shapes: `n` paragraphs, `S` sentences in all, `W` words in all, `d` word dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.api import Ragged

UNKNOWN_NUMBER = 0
"""The number of the word that stands for every word a vocabulary does not have."""


@dataclass(frozen=True)
class Text:
    """Paragraphs whose words are numbers of a vocabulary.

    Attributes:
        sentences: S sequences of word numbers, int64.
        counts: (n,) int64, sentences of each paragraph.
    """

    sentences: Ragged
    counts: Tensor

    def __len__(self) -> int:
        return int(self.counts.shape[0])

    def paragraphs(self) -> Ragged:
        """Returns n sequences of word numbers: all words of a paragraph, one sentence after the other."""
        owners = Ragged(self.sentences.values, self.counts).owners()
        words = self.counts.new_zeros(len(self)).index_add(0, owners, self.sentences.lengths)
        return Ragged(self.sentences.values, words)

    def select(self, indices: Sequence[int]) -> Text:
        """Returns the paragraphs at `indices`, in that order."""
        chosen = torch.as_tensor(indices, dtype=torch.int64)
        lengths = select(Ragged(self.sentences.lengths, self.counts), chosen).values
        words = select(self.paragraphs(), chosen).values
        return Text(Ragged(words, lengths), self.counts[chosen])

    def to(self, device: str) -> Text:
        """Returns the same text on `device`."""
        return Text(self.sentences.to(device), self.counts.to(device))


def select(sequences: Ragged, indices: Tensor) -> Ragged:
    """Returns the sequences at `indices` (k,) int64, in that order."""
    lengths = sequences.lengths[indices]
    begins = lengths.cumsum(0) - lengths
    shifts = (sequences.offsets()[indices] - begins).repeat_interleave(lengths)
    return Ragged(sequences.values[torch.arange(len(shifts), device=shifts.device) + shifts], lengths)


def join(first: Ragged, second: Ragged) -> Ragged:
    """Returns the sequences of `first`, then those of `second`."""
    return Ragged(torch.cat([first.values, second.values]), torch.cat([first.lengths, second.lengths]))


class WordVectors(nn.Module):
    """A trainable vector for each word of a vocabulary."""

    def __init__(self, vectors: Tensor) -> None:
        """Starts from `vectors`, (words, d) float32."""
        super().__init__()
        self.weight = nn.Parameter(vectors.clone())

    @property
    def dim(self) -> int:
        """The word dimension d."""
        return int(self.weight.shape[1])

    def forward(self, words: Ragged) -> Ragged:
        """Returns the same sequences with a vector (d,) for each word number."""
        return Ragged(nn.functional.embedding(words.values, self.weight), words.lengths)
