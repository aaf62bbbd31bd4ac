"""Classes by name: asked some at a time in shuffled orders, the best of each question again until one is left.

A class's score is how many rounds it won, plus its share of the last one it was in, averaged over the orders. Orders
are drawn for each video, so the right class stands in every place equally often, and so should what is answered: how
far it does not is the model's position bias.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

LETTERS = "ABCDEFGHIJKLMNOPQRST"

Ask = Callable[[Sequence[tuple[int, Sequence[int]]]], list[list[float]]]
"""From (video, its classes in the order asked) to the share of each."""


@dataclass
class Bias:
    """Where the answers stood among the options, and how often another order gave another one.

    Attributes:
        chosen, expected: by place, how often it was answered, and how often it would be without a bias.
        videos, changed: videos that were asked in several orders, and those whose first class was not always the same.
    """

    chosen: np.ndarray = field(default_factory=lambda: np.zeros(len(LETTERS)))
    expected: np.ndarray = field(default_factory=lambda: np.zeros(len(LETTERS)))
    videos: int = 0
    changed: int = 0

    def add(self, share: Sequence[float]) -> None:
        """Counts an answer; of equally likely places each has its part."""
        told = np.asarray(share)
        best = told == told.max()
        self.chosen[: len(told)] += best / best.sum()
        self.expected[: len(told)] += 1 / len(told)

    def words(self) -> str:
        """Returns what was measured in one line."""
        questions = self.expected.sum()
        if not questions:
            return "position bias: nothing was asked"
        place = int(np.argmax(self.chosen - self.expected))
        off = 50 * np.abs(self.chosen - self.expected).sum() / questions
        line = (
            f"position bias {off:.1f} %: place {place + 1} was answered in "
            f"{100 * self.chosen[place] / questions:.1f} % of {questions:,.0f} questions, "
            f"{100 * self.expected[place] / questions:.1f} % would be even"
        )
        if self.videos:
            line += f"; another order changed the first class of {100 * self.changed / self.videos:.1f} % of the videos"
        return line


def scores_of(count: int, seeds: Sequence[Sequence[str]], size: int, ask: Ask, bias: Bias) -> np.ndarray:
    """Returns (videos, classes) float32.

    Args:
        count: classes.
        seeds: for each video, what each of its orders is drawn by.
        size: classes that are asked at once, at most 20.
        ask: asks; all videos of a round together.
        bias: told of every answer.
    """
    scores = np.zeros((len(seeds), count))
    firsts: list[set[int]] = [set() for _ in seeds]
    for number in range(len(seeds[0]) if seeds else 0):
        alive = {video: _shuffled(count, orders[number]) for video, orders in enumerate(seeds)}
        while alive:
            rounds = {video: _chunks(classes, size) for video, classes in alive.items()}
            asked = [(video, chunk) for video, chunks in rounds.items() for chunk in chunks if len(chunk) > 1]
            shares = iter(ask(asked))
            for video, chunks in rounds.items():
                alive[video] = []
                for chunk in chunks:
                    share = next(shares) if len(chunk) > 1 else [1.0]
                    if len(chunk) > 1:
                        bias.add(share)
                    best = int(np.argmax(share))
                    if len(chunks) > 1:
                        share = [*share[:best], 1.0, *share[best + 1 :]]  # who goes on has won all of this round
                    scores[video, list(chunk)] += np.asarray(share) / len(seeds[video])
                    alive[video].append(chunk[best])
                if len(chunks) == 1:
                    firsts[video].add(alive[video][0])
            alive = {video: left for video, left in alive.items() if len(left) > 1}
    if seeds and len(seeds[0]) > 1:
        bias.videos += len(seeds)
        bias.changed += sum(len(first) > 1 for first in firsts)
    return scores.astype(np.float32)


def _shuffled(count: int, seed: str) -> list[int]:
    classes = list(range(count))
    random.Random(seed).shuffle(classes)  # noqa: S311 (an order, no secret)
    return classes


def _chunks(classes: Sequence[int], size: int) -> list[Sequence[int]]:
    """Returns classes in as few parts of nearly equal size as hold at most `size` each."""
    parts = -(-len(classes) // size)
    bounds = [part * len(classes) // parts for part in range(parts + 1)]
    return [classes[start:end] for start, end in pairwise(bounds)]
