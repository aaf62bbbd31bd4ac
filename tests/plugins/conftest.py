"""A tiny training set in memory, and trainings that keep their checkpoints in a list."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.api import Execution, ModelSpec, Ragged, State, Training, TrainingData, VideoBatch

DIM = 6
WORDS = ("dog", "runs", "cat", "sleeps", "red", "ball", "park", "jumps")


@dataclass
class MemoryVideos:
    """Videos held in memory; `clips[i]` are the feature matrices of the segments of video i."""

    whole: list[torch.Tensor]
    clips: list[list[torch.Tensor]]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(f"video-{i}" for i in range(len(self)))

    @property
    def rows(self) -> np.ndarray:
        return np.array([len(w) + sum(map(len, c)) for w, c in zip(self.whole, self.clips, strict=True)])

    @property
    def dim(self) -> int:
        return int(self.whole[0].shape[1])

    def __len__(self) -> int:
        return len(self.whole)

    def batch(self, indices: Sequence[int]) -> VideoBatch:
        clips = [clip for i in indices for clip in self.clips[i]]
        counts = torch.tensor([len(self.clips[i]) for i in indices])
        return VideoBatch(
            ids=tuple(self.ids[i] for i in indices),
            frames=ragged([self.whole[i] for i in indices]),
            segments=Ragged(torch.zeros(int(counts.sum()), 2), counts),
            clip_frames=ragged(clips),
            durations=torch.ones(len(indices)),
        )

    def batches(self, groups: Sequence[Sequence[int]], device: str) -> Iterator[VideoBatch]:
        return (self.batch(group).to(device, non_blocking=True) for group in groups)


def ragged(sequences: list[torch.Tensor]) -> Ragged:
    return Ragged(torch.cat(sequences), torch.tensor([len(s) for s in sequences]))


def make_data(count: int = 12, heldout: int = 0, seed: int = 0) -> TrainingData:
    """Returns videos whose clips show the words of their sentences, with noise; lengths from 1 row up."""
    rng = np.random.default_rng(seed)
    looks = rng.standard_normal((len(WORDS), DIM))
    clips, paragraphs = [], []
    for _ in range(count):
        words = rng.integers(0, len(WORDS), (int(rng.integers(1, 4)), 2))
        lengths = rng.integers(1, 5, len(words))
        rows = [
            looks[pair].mean(0) + 0.1 * rng.standard_normal((n, DIM)) for pair, n in zip(words, lengths, strict=True)
        ]
        clips.append([torch.from_numpy(r).float() for r in rows])
        paragraphs.append(tuple(" ".join(WORDS[w] for w in pair) + "." for pair in words))
    videos = MemoryVideos([torch.cat(c) for c in clips], clips)
    return TrainingData(videos, tuple(paragraphs), aligned=True, heldout=tuple(range(count - heldout, count)))


class Stopped(Exception):
    """Stands for SIGKILL: raised from the progress function, it leaves no time to save anything."""


@dataclass
class Record:
    """A training that keeps its checkpoints and losses; it can ask to stop, or die, after some steps."""

    execution: Execution = field(default_factory=Execution)
    stop_after: int = -1
    die_after: int = -1
    start: State | None = None
    word_vectors: Path | None = None
    states: list[State] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def training(self, base: Any = None) -> Training:
        def progress(done: int, total: int, values: Any) -> None:
            assert 0 < done <= total
            self.losses.append(values["loss"])
            if len(self.losses) == self.die_after:
                raise Stopped

        return Training(
            execution=self.execution,
            word_vectors=self.word_vectors,
            progress=progress,
            checkpoint=self.states.append,
            resume=lambda: self.start,
            stop_requested=lambda: len(self.losses) == self.stop_after,
            base=base,
        )


def make_labelled(count: int = 12, heldout: int = 0) -> TrainingData:
    """Returns videos without paragraphs, each of the class of the first word that its first clip shows."""
    data = make_data(count, heldout)
    first = [paragraph[0].split()[0].rstrip(".") for paragraph in data.paragraphs]
    classes = tuple(sorted(set(first)))
    labels = tuple((classes.index(word),) for word in first)
    return replace(data, paragraphs=tuple(() for _ in first), aligned=False, labels=labels, class_names=classes)


@pytest.fixture
def data() -> TrainingData:
    return make_data()


@pytest.fixture
def make_labelled_data() -> Callable[..., TrainingData]:
    return make_labelled


@pytest.fixture
def make_training_data() -> Callable[..., TrainingData]:
    return make_data


@pytest.fixture
def record() -> type[Record]:
    return Record


@pytest.fixture
def killed() -> type[Exception]:
    return Stopped


@pytest.fixture
def spec() -> Callable[[str], ModelSpec]:
    """Returns a function from the name of a bundled model to its spec."""
    from bench_controls.plugin import bench_models as controls
    from bench_dense.plugin import bench_models as dense
    from bench_dvc.plugin import bench_models as dvc
    from bench_fse.plugin import bench_models as fse
    from bench_fvvae.plugin import bench_models as fvvae
    from bench_head.plugin import bench_models as head
    from bench_hse.plugin import bench_models as hse
    from bench_s2vt.plugin import bench_models as s2vt
    from bench_tsn.plugin import bench_models as tsn

    plugins = (controls, fse, head, hse, s2vt, dense, dvc, tsn, fvvae)
    specs = {spec.name: spec for models in plugins for spec in models()}
    return specs.__getitem__


@pytest.fixture
def make_model(spec: Callable[[str], ModelSpec]) -> Callable[..., Any]:
    """Returns a function that makes a small bundled model, unfitted: `make_model("hse", tau=0.0)`."""
    small = {"hidden": 16, "frame_dim": 8, "word_dim": 8, "epochs": 2, "batch": 5, "lr": 0.01}
    small |= {"reduced": 4, "latent": 3, "size": 16, "layers": 1}
    controls = {"candidates": "0.01/0.1/8 0.001/0.1/8", "penalties": "1"}

    def make(name: str, execution: Execution | None = None, **chosen: object) -> Any:
        found = spec(name)
        known = {key: value for key, value in (small | controls).items() if key in found.settings}
        module, _, attribute = found.loader.partition(":")
        settings = found.resolve(None, known | chosen)
        return getattr(importlib.import_module(module), attribute)(settings, execution or Execution())

    return make
