"""What `gpu.py` trains on: one batch of the paper's size again and again, in the form of the training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from batch import Batch

from bench.api import Execution, Ragged, Training, VideoBatch
from bench_torch.text import Text
from bench_torch.training import Examples, Schedule, train


@dataclass(frozen=True)
class Work:
    """How much is measured.

    Attributes:
        videos: in a batch.
        hidden: size of all states.
        steps: of a fit.
        ranked: pairs to rank.
        epochs, limit: of HSE on the generated sample; 0 for all its videos.
        repeats: of what is timed step by step.
    """

    videos: int = 64
    hidden: int = 1024
    steps: int = 30
    ranked: int = 100_000
    epochs: int = 50
    limit: int = 0
    repeats: int = 5


TINY = Work(videos=4, hidden=8, steps=6, ranked=200, epochs=1, limit=8, repeats=1)


@dataclass(frozen=True)
class Repeated:
    """The videos of one batch again and again, in the loop's own form."""

    videos: VideoBatch
    times: int

    @property
    def ids(self) -> tuple[str, ...]:
        return self.videos.ids * self.times

    @property
    def rows(self) -> np.ndarray:
        return np.tile(self.videos.frames.lengths.numpy(), self.times)

    @property
    def dim(self) -> int:
        return int(self.videos.frames.values.shape[1])

    def __len__(self) -> int:
        return len(self.videos) * self.times

    def batch(self, indices: Sequence[int]) -> VideoBatch:
        return self.videos

    def batches(self, groups: Sequence[Sequence[int]], device: str) -> Iterator[VideoBatch]:
        return (self.videos.to(device, non_blocking=True) for _ in groups)


@dataclass(frozen=True)
class SameText:
    """The text of that batch."""

    text: Text
    count: int

    def __len__(self) -> int:
        return self.count

    def select(self, indices: Sequence[int]) -> Text:
        return self.text

    def to(self, device: str) -> SameText:
        return self


def examples(batch: Batch, times: int, device: str) -> Examples:
    """Returns a training set of `times` batches; for a GPU in page-locked memory."""
    videos = batch.videos
    if device != "cpu":
        frames, clips = (Ragged(r.values.pin_memory(), r.lengths) for r in (videos.frames, videos.clip_frames))
        videos = replace(videos, frames=frames, clip_frames=clips)
    return Examples(Repeated(videos, times), SameText(batch.text, times * len(videos)))


def fit(network: Any, batch: Batch, work: Work, execution: Execution, told: Callable[[float], None]) -> None:
    """Trains for `work.steps` steps; `told` gets the loss of each as it is reported."""
    training = Training(
        execution=execution,
        word_vectors=None,
        progress=lambda done, total, values: told(values["loss"]),
        checkpoint=lambda _: None,
        resume=lambda: None,
        stop_requested=lambda: False,
        base=None,
    )
    schedule = Schedule(epochs=1, batch=work.videos, lr=1e-4, lr_drop=1)
    train(network, examples(batch, work.steps, execution.device), None, schedule, training)
