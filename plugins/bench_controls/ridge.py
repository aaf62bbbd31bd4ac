"""`ridge`: the mean of a video's frame features, mapped to the vectors of its sentences in closed form.

What a frozen text encoder knows of sentences (`text=ENCODER`) is taken as it is, and a linear map is all that is
learned, so this says what a pretrained encoder alone brings. Without one, the mean of a paragraph's word vectors is
what is mapped to. Both sides are centred on the training videos. The weight of the ridge is one of a stated list, the
best by the recalls on held-out training videos; the map is then solved for again on all of them.

Letters for shapes: `D` numbers of a feature row, `d` of a sentence vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from bench.api import (
    Execution,
    ModelError,
    Settings,
    Training,
    TrainingData,
    UsageError,
    VideoBatch,
    length_ordered,
)
from bench_torch.dual_encoder import DualEncoder
from bench_torch.encoder import means
from bench_torch.text import Text, WordVectors
from bench_torch.training import Examples, MatchingNetwork


def parse_penalties(text: str) -> list[float]:
    """Returns the numbers of a list separated by spaces. Raises: UsageError."""
    try:
        penalties = [float(part) for part in text.split()]
    except ValueError:
        penalties = []
    if not penalties or not all(0 < penalty < torch.inf for penalty in penalties):
        raise UsageError(f"penalties: {text!r} is no list of positive numbers. Write them apart, such as '0.1 1 10'.")
    return penalties


class RidgeNetwork(MatchingNetwork):
    """A linear map between two centred means; it is solved for, so it has no loss."""

    video_mean: Tensor
    text_mean: Tensor
    map: Tensor

    def __init__(self, dim: int, vectors: Tensor) -> None:
        super().__init__(dim)
        self.words = WordVectors(vectors)
        self.register_buffer("video_mean", torch.zeros(dim))
        self.register_buffer("text_mean", torch.zeros(self.words.dim))
        self.register_buffer("map", torch.zeros(dim, self.words.dim))

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, d)."""
        return (means(videos.frames) - self.video_mean) @ self.map

    def embed_text(self, text: Text) -> Tensor:
        """Returns (n, d): the mean of the sentences, or of the words."""
        return means(self.words(text.paragraphs())) - self.text_mean


@dataclass(frozen=True)
class Moments:
    """What a ridge needs of training data, float64 on the CPU.

    Attributes:
        video_mean: (D,).
        text_mean: (d,).
        scatter: (D, D), sum of products of centred videos.
        shared: (D, d), sum of products of centred videos and texts.
    """

    video_mean: Tensor
    text_mean: Tensor
    scatter: Tensor
    shared: Tensor

    def solve(self, penalty: float) -> Tensor:
        """Returns the map (D, d); `penalty` counts in mean eigenvalues of the scatter, so features have no unit."""
        mean = self.scatter.diagonal().mean().clamp(min=torch.finfo(torch.float64).tiny ** 0.5)
        ridge = penalty * mean * torch.eye(len(self.scatter), dtype=torch.float64)
        return torch.cholesky_solve(self.shared, torch.linalg.cholesky(self.scatter + ridge))


def moments(network: RidgeNetwork, examples: Examples, execution: Execution) -> Moments:
    """Returns what the map of a network, still without means, follows from; the videos are read once."""
    groups = length_ordered(examples.videos.rows, execution.batch_size)
    dim, text_dim = network.map.shape
    x_sum, y_sum = torch.zeros(dim, dtype=torch.float64), torch.zeros(text_dim, dtype=torch.float64)
    xx, xy = torch.zeros(dim, dim, dtype=torch.float64), torch.zeros(dim, text_dim, dtype=torch.float64)
    with torch.inference_mode():
        for group, batch in zip(groups, examples.videos.batches(groups, execution.device), strict=True):
            text = cast("Text", examples.targets.select(group).to(execution.device))
            x, y = means(batch.frames).double().cpu(), network.embed_text(text).double().cpu()
            x_sum, y_sum, xx, xy = x_sum + x.sum(0), y_sum + y.sum(0), xx + x.t() @ x, xy + x.t() @ y
    x_mean, y_mean = x_sum / len(examples.targets), y_sum / len(examples.targets)
    return Moments(x_mean, y_mean, xx - torch.outer(x_sum, x_mean), xy - torch.outer(x_sum, y_mean))


class Ridge(DualEncoder[RidgeNetwork]):
    """The model `ridge`."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        super().__init__(settings, execution)
        self._penalties = parse_penalties(self.setting("penalties", str))

    def build(self, dim: int, vectors: Tensor) -> RidgeNetwork:
        """Returns a network whose map is still to be solved for."""
        return RidgeNetwork(dim, vectors)

    def fit(self, data: TrainingData, training: Training) -> None:
        """Chooses a penalty, then solves on all of `data`.

        Raises: ModelError when there are several penalties and no held-out videos to choose by.
        """
        chosen = self._penalties[0]
        if len(self._penalties) > 1:
            if not data.heldout:
                raise ModelError(
                    "ridge chooses among penalties by held-out training videos; there are none. "
                    "Train on more videos, or name one penalty."
                )
            fitting, heldout = data.split()
            known, tested = self._begin(fitting, training), self.examples(heldout)
            merits = [self._solved(known, penalty).merit(tested, self.execution) for penalty in self._penalties]
            chosen = self._penalties[max(range(len(merits)), key=merits.__getitem__)]
        self._solved(self._begin(data, training), chosen)

    def _begin(self, data: TrainingData, training: Training) -> Moments:
        """Builds a fresh network, the same for a seed, and returns what its map follows from."""
        with self.seeded():
            self.start(data, training)
        return moments(self.network.eval(), self.examples(data), self.execution)

    def _solved(self, known: Moments, penalty: float) -> RidgeNetwork:
        """Returns the network with the map that a penalty gives."""
        network = self.network
        network.video_mean.copy_(known.video_mean)
        network.text_mean.copy_(known.text_mean)
        network.map.copy_(known.solve(penalty))
        return network
