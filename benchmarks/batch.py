"""One training batch of the paper's size: 64 videos of ActivityNet Captions with 500-d features, at most 80 rows each.

Made up by default; the real annotations give the same sizes within a few percent.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bench.api import Ragged, VideoBatch, View
from bench_torch.text import Text, Vocabulary

MAX_ROWS, DIM, SEED = 80, 500, 20181008


@dataclass(frozen=True)
class Batch:
    """Videos with their text; video i belongs to paragraph i.

    Attributes:
        videos, text: what a network's loss takes.
        words: size of the vocabulary.
    """

    videos: VideoBatch
    text: Text
    words: int

    def __str__(self) -> str:
        rows = len(self.videos.frames.values) + len(self.videos.clip_frames.values)
        return (
            f"{len(self.videos)} videos, {len(self.videos.clip_frames)} clips, {rows} frame rows in clips and whole "
            f"videos, {2 * len(self.text.sentences.values)} words in sentences and paragraphs"
        )


def synthetic_batch(videos: int = 64) -> Batch:
    """Returns a batch with 227/64 clips, 17,955/64 rows and 6,642/64 words per video, in random lengths."""
    generator = torch.Generator().manual_seed(SEED)
    clips, rows, words = (round(total * videos / 64) for total in (227, 17_955, 3_321))
    counts = random_lengths(videos, clips, (1, 8), generator)
    frames = random_lengths(videos, round(videos * 78.5), (20, MAX_ROWS), generator)
    clip_rows = random_lengths(clips, rows - int(frames.sum()), (5, MAX_ROWS), generator)
    sentences = random_lengths(clips, words, (4, 40), generator)
    vocabulary = 10_000
    batch = VideoBatch(
        ids=tuple(map(str, range(videos))),
        frames=_random_rows(frames, generator),
        segments=Ragged(torch.zeros(clips, 2), counts),
        clip_frames=_random_rows(clip_rows, generator),
        durations=torch.ones(videos),
    )
    numbers = torch.randint(0, vocabulary, (words,), generator=generator)
    return Batch(batch, Text(Ragged(numbers, sentences), counts), vocabulary)


def annotated_batch(folder: Path, videos: int = 64) -> Batch:
    """Returns a batch drawn from the train annotations in `folder`, with simulated features."""
    from bench.data.declared import SIMULATED, DatasetDeclaration, FeatureDeclaration
    from bench.data.lessons import training_set
    from bench.data.readers.activitynet import open_dataset

    features = FeatureDeclaration(SIMULATED, SIMULATED)
    dataset = open_dataset(DatasetDeclaration("anet", "activitynet", folder, features))
    data = dataset.training(training_set(dataset, "paragraphs", View("gt")), max_rows=MAX_ROWS)
    vocabulary = Vocabulary.of(data.paragraphs)
    chosen = np.random.default_rng(SEED).permutation(len(data))[:videos].tolist()
    text = vocabulary.encode([data.paragraphs[i] for i in chosen])
    return Batch(data.videos.batch(chosen), text, len(vocabulary))


def random_lengths(count: int, total: int, bounds: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Returns (count,) int64 random lengths within `bounds` that add up to `total`."""
    low, high = bounds
    if not low * count <= total <= high * count:
        raise ValueError(f"{count} lengths within {bounds} cannot add up to {total}")
    lengths = torch.randint(low, high + 1, (count,), generator=generator)
    while int(lengths.sum()) != total:
        gap = total - int(lengths.sum())
        free = lengths < high if gap > 0 else lengths > low
        chosen = free.nonzero()[:, 0]
        chosen = chosen[torch.randperm(len(chosen), generator=generator)[: abs(gap)]]
        lengths[chosen] += 1 if gap > 0 else -1
    return lengths


def _random_rows(lengths: Tensor, generator: torch.Generator) -> Ragged:
    return Ragged(torch.randn(int(lengths.sum()), DIM, generator=generator), lengths)
