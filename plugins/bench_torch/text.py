"""Paragraphs as word numbers, the vocabulary that numbers them, and the part of a network that reads them.

Words are lower-cased and split by NLTK's word tokeniser, as in the HSE code. That code also cut sentences with NLTK's
Punkt model, which has to be downloaded; here a full stop after a word of two letters or more ends a sentence. Its
vocabulary came from train and test paragraphs; ours comes from the training paragraphs only. NLTK imports a thousand
modules of SciPy, pandas and scikit-learn, so it is asked about sentences that are more than plain words.

Letters for shapes: `n` paragraphs, `S` sentences in all, `W` words in all, `d` word dimension.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from bench.api import InvalidData, Paragraph, Ragged, read_word_vectors
from bench_torch.transfer import sent

if TYPE_CHECKING:
    from nltk.tokenize import NLTKWordTokenizer, TreebankWordDetokenizer

UNKNOWN_NUMBER = 0
"""The number of the word that stands for every word a vocabulary does not have."""

UNKNOWN = "<unk>"
"""The word number `UNKNOWN_NUMBER`, 0: every word that the vocabulary does not have."""

SPREAD = 0.3
"""Standard deviation of random first vectors: small enough to be moved by training, as GloVe's own are."""

_PLAIN = re.compile(r"(?!.*\b(?:can|gim|gon|got|lem|wan) ?(?:na|me|not|ta)\b)[a-z0-9 ]*")
"""Words that NLTK cuts and joins at spaces only: no punctuation, and no `cannot`, `gimme` and the like."""
_INNER_STOP = re.compile(r"(?<=[^\W\d_]{2})\.(?=\s+\S)")


@dataclass(frozen=True)
class Text:
    """Paragraphs whose words are numbers of a vocabulary, or whose sentences are vectors of a frozen encoder.

    Attributes:
        sentences: S sequences of word numbers, int64; or S sequences of one vector, (1, d) float32.
        counts: (n,) int64, sentences of each paragraph; on the CPU.
    """

    sentences: Ragged
    counts: Tensor

    def __len__(self) -> int:
        return int(self.counts.shape[0])

    def paragraphs(self) -> Ragged:
        """Returns n sequences of word numbers: all words of a paragraph, one sentence after the other."""
        owners = Ragged(self.sentences.lengths, self.counts).owners()
        words = self.counts.new_zeros(len(self)).index_add(0, owners, self.sentences.lengths)
        return Ragged(self.sentences.values, words)

    def select(self, indices: Sequence[int]) -> Text:
        """Returns the paragraphs at `indices`, in that order."""
        chosen = torch.as_tensor(indices, dtype=torch.int64)
        lengths = select(Ragged(self.sentences.lengths, self.counts), chosen).values
        words = select(self.paragraphs(), chosen).values
        return Text(Ragged(words, lengths), self.counts[chosen])

    def to(self, device: str) -> Text:
        """Returns the same text on `device`; nobody waits for it."""
        return Text(Ragged(sent(self.sentences.values, device), self.sentences.lengths), self.counts)


def select(sequences: Ragged, indices: Tensor) -> Ragged:
    """Returns the sequences at `indices` (k,) int64 on the CPU, in that order."""
    lengths = sequences.lengths[indices]
    begins = lengths.cumsum(0) - lengths
    offsets = sequences.lengths.cumsum(0) - sequences.lengths
    rows = torch.arange(int(lengths.sum())) + (offsets[indices] - begins).repeat_interleave(lengths)
    return Ragged(sequences.values[sequences.beside(rows)], lengths)


def join(first: Ragged, second: Ragged) -> Ragged:
    """Returns the sequences of `first`, then those of `second`."""
    return Ragged(torch.cat([first.values, second.values]), torch.cat([first.lengths, second.lengths]))


class WordVectors(nn.Module):
    """A trainable vector for each word of a vocabulary; what are vectors already stay as they are."""

    def __init__(self, vectors: Tensor) -> None:
        """Starts from `vectors`, (words, d) float32."""
        super().__init__()
        self.weight = nn.Parameter(vectors.clone())
        self.dim = vectors.shape[1]

    def forward(self, words: Ragged) -> Ragged:
        """Returns the same sequences with a vector (d,) for each word number."""
        if words.values.is_floating_point():
            return words
        return Ragged(nn.functional.embedding(words.values, self.weight), words.lengths)


@lru_cache(maxsize=1 << 17)  # every sentence once per process: the vocabulary, the encoding and other models reuse it
def tokenize(sentence: str) -> tuple[str, ...]:
    """Returns the lower-cased words and punctuation marks of a sentence; `(UNKNOWN,)` when there are none."""
    text = sentence.lower()
    words = text.split() if _PLAIN.fullmatch(text) else _nltk()[0].tokenize(_INNER_STOP.sub(" .", text))
    return tuple(words) or (UNKNOWN,)


def joined(words: Sequence[str]) -> str:
    """Returns the sentence that has these words and punctuation marks."""
    text = " ".join(words)
    return text if _PLAIN.fullmatch(text) else str(_nltk()[1].detokenize(list(words)))


@cache
def _nltk() -> tuple[NLTKWordTokenizer, TreebankWordDetokenizer]:
    from nltk.tokenize import NLTKWordTokenizer, TreebankWordDetokenizer

    return NLTKWordTokenizer(), TreebankWordDetokenizer()


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
        return [joined([self.words[number] for number in row]) for row in ended]

    @classmethod
    def of(cls, paragraphs: Iterable[Paragraph]) -> Vocabulary:
        """Returns all words of the paragraphs in alphabetical order, after `UNKNOWN`."""
        words = {word for paragraph in paragraphs for sentence in paragraph for word in tokenize(sentence)}
        return cls((UNKNOWN, *sorted(words - {UNKNOWN})))

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
    vectors = read_word_vectors(file, set(vocabulary.words) - {UNKNOWN}, dim)
    if not vectors:
        raise InvalidData(f"{file} has none of the {len(vocabulary)} words of the training text. Name another file.")
    kept = Vocabulary((UNKNOWN, *(word for word in vocabulary.words if word in vectors)))
    known = torch.from_numpy(np.stack([vectors[word] for word in kept.words[1:]]))
    unknown = torch.randn(1, dim) * known.std(correction=0)
    return kept, torch.cat([unknown, known])
