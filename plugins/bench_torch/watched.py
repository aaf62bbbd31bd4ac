"""What a frozen encoder makes of videos, kept in memory: it reads each of them once in a fit, not in every epoch.

The batches it reads in are those of all videos by length, whatever the epoch, the seed and where a fit went on: matrix
products give a row other last bits in other batches, so what is kept may not depend on who came first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bench.api import Execution, Ragged, VideoBatch, length_ordered
from bench_torch.training import Examples, autocast
from bench_torch.transfer import sent

LIMIT = 2**30
"""Bytes that may be kept of the videos of a fit: half a million segments of 512 numbers."""


@dataclass(frozen=True)
class WatchedBatch(VideoBatch):
    """A batch of videos without their frames.

    Attributes:
        vectors: (S, d), what the encoder made of each segment.
    """

    vectors: Tensor

    def to(self, device: str, *, non_blocking: bool = False) -> WatchedBatch:
        """Returns the same batch on `device`."""
        moved = super().to(device, non_blocking=non_blocking)
        vectors = sent(self.vectors, device) if non_blocking else self.vectors.to(device)
        return WatchedBatch(**vars(moved), vectors=vectors)


@dataclass(frozen=True)
class Kept:
    """What is kept of a video of k segments.

    Attributes:
        segments: (k, 2) float32, seconds.
        vectors: (k, d), what the encoder made of each.
        duration: () float32, seconds.
    """

    segments: Tensor
    vectors: Tensor
    duration: Tensor


@dataclass(frozen=True)
class WatchedVideos:
    """Videos of which an encoder has read the frames.

    Attributes:
        ids, rows, dim: as those of the videos it read.
        kept: what is kept of each, by its place.
    """

    ids: tuple[str, ...]
    rows: np.ndarray
    dim: int
    kept: Mapping[int, Kept]

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, indices: Sequence[int]) -> WatchedBatch:
        """Returns the videos at `indices`, in that order, on the CPU, without frames."""
        chosen = [self.kept[index] for index in indices]
        segments = torch.cat([kept.segments for kept in chosen])
        counts = torch.tensor([len(kept.segments) for kept in chosen])
        return WatchedBatch(
            ids=tuple(self.ids[index] for index in indices),
            frames=Ragged(torch.zeros(0, self.dim), torch.zeros_like(counts)),
            segments=Ragged(segments, counts),
            clip_frames=Ragged(torch.zeros(0, self.dim), counts.new_zeros(len(segments))),
            durations=torch.stack([kept.duration for kept in chosen]),
            vectors=torch.cat([kept.vectors for kept in chosen]),
        )

    def batches(self, groups: Sequence[Sequence[int]], device: str) -> Iterator[VideoBatch]:
        """Yields one batch on `device` for each group of indices."""
        return (self.batch(group).to(device, non_blocking=True) for group in groups)


def watched(examples: Examples, watch: Callable[[VideoBatch], Tensor], batch: int, execution: Execution) -> Examples:
    """Returns the examples with what `watch` made of their videos, or as they are where that would pass `LIMIT`.

    Args:
        watch: returns (S, d) of the S segments of a batch; gradients are not kept.
        batch: videos per batch.
        execution: device and precision.
    """
    kept: dict[int, Kept] = {}
    groups, size = length_ordered(examples.videos.rows, batch), 0
    with torch.no_grad(), autocast(execution):
        for group, videos in zip(groups, examples.videos.batches(groups, execution.device), strict=True):
            vectors, counts = watch(videos).cpu(), videos.segments.lengths.tolist()
            size += vectors.nbytes
            if size > LIMIT:
                return examples
            segments, durations = videos.segments.values.cpu(), videos.durations.cpu()
            parts = zip(torch.split(segments, counts), torch.split(vectors, counts), durations, strict=True)
            kept.update((index, Kept(*part)) for index, part in zip(group, parts, strict=True))
    read = examples.videos
    return Examples(WatchedVideos(read.ids, read.rows, read.dim, kept), examples.targets)
