"""The likeliest sentence under each of several conditions, by beam search: all of them at once, on the device.

Words, beams and scores stay on the device; whether all are done is asked once in `PATIENCE` words, not at each, and
the host never waits for the answer.

Letters for shapes: `C` conditions, `K` beams of each, `V` words, `H` hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from bench_torch.decoding import WordDecoder
from bench_torch.lstm import Memory
from bench_torch.text import UNKNOWN_NUMBER, WordVectors
from bench_torch.transfer import Late

PATIENCE = 8
"""Words between two looks at whether every sentence has ended."""


@dataclass(frozen=True)
class Beam:
    """How to search: the hypotheses kept of each sentence, 1 for greedy search, and its greatest number of words."""

    width: int
    max_words: int


@dataclass(frozen=True)
class Hypotheses:
    """Beginnings of sentences.

    Attributes:
        said: (C, K, max_words + 1) int64, words so far; the end after them.
        total: (C, K) float32, log p of what was said, falling.
        memory: of C * K decoders.
    """

    said: Tensor
    total: Tensor
    memory: Memory

    @classmethod
    def first(cls, start: Memory, end: int, beam: Beam) -> Hypotheses:
        """Returns one empty sentence for each condition, and places for the others."""
        count = len(start.hidden)
        said = torch.full((count, beam.width, beam.max_words + 1), end, device=start.hidden.device)
        total = start.hidden.new_full((count, beam.width), -torch.inf)
        total[:, 0] = 0.0
        each = torch.arange(count * beam.width, device=said.device) // beam.width
        return cls(said, total, start.select(each))

    def extended(self, scores: Tensor, place: int) -> Hypotheses:
        """Returns the best of all hypotheses with a word more, the one at `place`, from log p of it (C, K, V + 1)."""
        count, width, choices = scores.shape
        total, best = (self.total[:, :, None] + scores).view(count, -1).topk(width, dim=1)
        parents, word = best // choices, best % choices
        said = self.said.gather(1, parents[:, :, None].expand_as(self.said))
        said[:, :, place] = word
        firsts = torch.arange(0, count * width, width, device=word.device)[:, None]
        return Hypotheses(said, total, self.memory.select((firsts + parents).view(-1)))


def search(decoder: WordDecoder, words: WordVectors, conditions: Iterator[Tensor], start: Memory, beam: Beam) -> Tensor:
    """Returns (C, max_words) int64: the words of the likeliest sentence that was found, then `decoder.end`.

    Likeliest by log p of the words and of the end, which comes after `max_words` words at the latest; the length is
    not corrected for. The unknown word is never said. A hypothesis that has ended competes with those that go on, and
    as these only lose, a search is over once the best has ended.

    Args:
        decoder, words: the decoder and the vectors of its words.
        conditions: an endless walk over the conditions (C, condition) of each step.
        start: the memory of each condition before the first word, (C, H).
        beam: how to search.
    """
    with torch.no_grad(), torch.autocast(start.hidden.device.type, enabled=False):
        best = Hypotheses.first(start, decoder.end, beam)
        ended = start.hidden.new_full((decoder.end + 1,), -torch.inf)
        ended[decoder.end] = 0.0
        told: Tensor | None = None
        asked: Late | None = None
        for place in range(beam.max_words + 1):
            last = best.said[:, :, place - 1]  # before the first word: the last place, which holds the end
            read = decoder.project_words(decoder.vectors(words, last.reshape(-1)))
            if (condition := next(conditions)) is not told:  # the same at every step but for captioners that walk
                told = condition
                projected = decoder.project_condition(told.float()).repeat_interleave(beam.width, dim=0)
            memory = decoder.lstm.step(read + projected, best.memory)
            scores = decoder.output(memory.hidden).log_softmax(dim=1).view(*last.shape, -1)
            scores[:, :, UNKNOWN_NUMBER] = -torch.inf
            if place == beam.max_words:
                scores[:, :, : decoder.end] = -torch.inf
            if place:
                scores = torch.where((last == decoder.end)[:, :, None], ended, scores)
            best = Hypotheses(best.said, best.total, memory).extended(scores, place)
            if place % PATIENCE == PATIENCE - 1:
                asked = Late((best.said[:, 0, place] == decoder.end).all())
            if asked is not None and asked.is_here:
                if asked.value():
                    break
                asked = None
        return best.said[:, 0, : beam.max_words]
