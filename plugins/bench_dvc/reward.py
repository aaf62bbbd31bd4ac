"""What DVC is rewarded for: METEOR or CIDEr of the sentences that it says of the training segments."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bench.api import Ragged, cider, meteor
from bench_torch.candidates import Candidates
from bench_torch.text import Text

CIDER_SCALE = 10.0
"""The greatest CIDEr of a sentence."""


class Reward:
    """How good sentences of word numbers are, each against those of its segment: METEOR, or CIDEr / 10; 0 to 1.

    Sentences are read as the vocabulary has them. Punctuation counts, though it does not where captions are scored:
    what a reward does not see is said without end. Words that the vocabulary lacks are one word, which is never said.
    """

    def __init__(self, metric: str, words: Sequence[str], text: Text) -> None:
        """Takes the metric's name, the words by number, and the training text, for CIDEr's document frequencies."""
        self._metric = metric
        self._words = words
        self._documents = self.spoken(text.sentences) if metric == "CIDEr" else []

    def __call__(self, said: Sequence[str], references: Sequence[Sequence[str]]) -> Tensor:
        """Returns (n,) float32 for n sentences and the references of each, at least one."""
        if self._metric == "CIDEr":
            return torch.tensor(cider(said, references, self._documents)) / CIDER_SCALE
        return torch.tensor(meteor(said, references)[1])

    def spoken(self, sentences: Ragged) -> list[str]:
        """Returns sentences of word numbers, on the CPU, as words joined by spaces."""
        rows = torch.split(sentences.values, sentences.lengths.tolist())
        return [" ".join(self._words[number] for number in row.tolist()) for row in rows]


def references_of(pairs: Candidates, sentences: Sequence[str], segments: int) -> list[list[str]]:
    """Returns for each segment the sentences that may describe it."""
    found: list[list[str]] = [[] for _ in range(segments)]
    for sentence, segment in zip(pairs.sentences.tolist(), pairs.segments.tolist(), strict=True):
        found[segment].append(sentences[sentence])
    return found
