"""Words as numbers. The vocabulary comes from the training paragraphs only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.api import InvalidData, Paragraph, Ragged

WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[^\w\s]")
UNKNOWN = "<unk>"


def split_words(sentence: str) -> list[str]:
    """Returns the lower-cased words and punctuation marks of a sentence; `[UNKNOWN]` when there are none."""
    return WORD.findall(sentence.lower()) or [UNKNOWN]


@dataclass(frozen=True)
class Text:
    """Paragraphs whose words are numbers.

    Attributes:
        sentences: S sequences of word numbers, int64.
        wholes: n sequences: all words of each paragraph.
        counts: (n,) int64, sentences of each paragraph.
    """

    sentences: Ragged
    wholes: Ragged
    counts: Tensor

    def to(self, device: str) -> Text:
        """Returns the same text on `device`."""
        return Text(self.sentences.to(device), self.wholes.to(device), self.counts.to(device))


class Vocabulary:
    """A fixed list of words; position is number, and number 0 stands for every other word."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._numbers = {word: number for number, word in enumerate(self.words)}

    @classmethod
    def of(cls, paragraphs: Iterable[Paragraph]) -> Vocabulary:
        """Returns all words of the paragraphs in alphabetical order, after `UNKNOWN`."""
        found = {word for paragraph in paragraphs for sentence in paragraph for word in split_words(sentence)}
        return cls((UNKNOWN, *sorted(found - {UNKNOWN})))

    def encode(self, paragraphs: Sequence[Paragraph]) -> Text:
        """Returns paragraphs as word numbers. Raises: InvalidData for one without sentences."""
        if not paragraphs or not all(paragraphs):
            raise InvalidData("there is no paragraph, or one without sentences: it cannot be embedded. Leave it out.")
        split = [[split_words(sentence) for sentence in paragraph] for paragraph in paragraphs]
        numbers = torch.tensor([self._numbers.get(w, 0) for p in split for s in p for w in s], dtype=torch.int64)
        lengths = torch.tensor([len(sentence) for paragraph in split for sentence in paragraph])
        wholes = torch.tensor([sum(map(len, paragraph)) for paragraph in split])
        return Text(Ragged(numbers, lengths), Ragged(numbers, wholes), torch.tensor([len(p) for p in split]))
