"""Words of the training paragraphs as numbers, and the vectors they start from.

Words are lower-cased and split by NLTK's word tokeniser, as in the HSE code. That code also cut sentences with NLTK's
Punkt model, which has to be downloaded; here a full stop after a word of two letters or more ends a sentence. Its
vocabulary came from train and test paragraphs; ours comes from the training paragraphs only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import takewhile
from pathlib import Path

import numpy as np
import torch
from nltk.tokenize import NLTKWordTokenizer, TreebankWordDetokenizer
from torch import Tensor

from bench.api import InvalidData, Paragraph, Ragged, read_word_vectors
from bench_torch.text import Text

UNKNOWN = "<unk>"
"""The word number `UNKNOWN_NUMBER`, 0: every word that the vocabulary does not have."""

SPREAD = 0.3
"""Standard deviation of random first vectors: small enough to be moved by training, as GloVe's own are."""

_TOKENIZER = NLTKWordTokenizer()
_DETOKENIZER = TreebankWordDetokenizer()
_INNER_STOP = re.compile(r"(?<=[^\W\d_]{2})\.(?=\s+\S)")


@lru_cache(maxsize=1 << 17)  # every sentence once per process: the vocabulary, the encoding and other models reuse it
def tokenize(sentence: str) -> tuple[str, ...]:
    """Returns the lower-cased words and punctuation marks of a sentence; `(UNKNOWN,)` when there are none."""
    return tuple(_TOKENIZER.tokenize(_INNER_STOP.sub(" .", sentence.lower()))) or (UNKNOWN,)


class Vocabulary:
    """A fixed list of words; position is number, and number 0 is `UNKNOWN`."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._numbers = {word: number for number, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def decode(self, rows: Iterable[Sequence[int]]) -> list[str]:
        """Returns each row of word numbers as a sentence, up to the first number that is no word of the vocabulary."""
        ended = (takewhile(lambda number: number < len(self), row) for row in rows)
        return [_DETOKENIZER.detokenize([self.words[number] for number in row]) for row in ended]

    @classmethod
    def of(cls, paragraphs: Iterable[Paragraph]) -> Vocabulary:
        """Returns all words of the paragraphs in alphabetical order, after `UNKNOWN`."""
        found = {word for paragraph in paragraphs for sentence in paragraph for word in tokenize(sentence)}
        return cls((UNKNOWN, *sorted(found - {UNKNOWN})))

    def encode(self, paragraphs: Sequence[Paragraph]) -> Text:
        """Returns paragraphs as word numbers. Raises: InvalidData for a paragraph without sentences."""
        numbers: list[int] = []
        lengths: list[int] = []
        for index, paragraph in enumerate(paragraphs):
            if not paragraph:
                raise InvalidData(f"paragraph {index} has no sentences and cannot be embedded. Drop it.")
            for sentence in paragraph:
                words = tokenize(sentence)
                numbers.extend(self._numbers.get(word, 0) for word in words)
                lengths.append(len(words))
        counts = torch.tensor([len(paragraph) for paragraph in paragraphs], dtype=torch.int64)
        sentences = Ragged(torch.tensor(numbers, dtype=torch.int64), torch.tensor(lengths, dtype=torch.int64))
        return Text(sentences, counts)


def start_vectors(vocabulary: Vocabulary, dim: int, file: Path | None) -> tuple[Vocabulary, Tensor]:
    """Returns the vocabulary to use and its first vectors, (words, dim) float32.

    Without a GloVe file they are normal with deviation `SPREAD`, from torch's seeded generator. With a file only words
    that it has are kept, and `UNKNOWN` gets a random vector of their spread.
    Raises: MissingData, InvalidData for a file that cannot be read, naming the line.
    """
    if file is None:
        return vocabulary, torch.randn(len(vocabulary), dim) * SPREAD
    found = read_word_vectors(file, set(vocabulary.words) - {UNKNOWN}, dim)
    if not found:
        raise InvalidData(f"{file} has none of the {len(vocabulary)} words of the training text. Name another file.")
    kept = Vocabulary((UNKNOWN, *(word for word in vocabulary.words if word in found)))
    known = torch.from_numpy(np.stack([found[word] for word in kept.words[1:]]))
    unknown = torch.randn(1, dim) * known.std(correction=0)
    return kept, torch.cat([unknown, known])
