"""The classes of videos, as what a network is trained on.

Letters for shapes: `n` videos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.api import InvalidData, TrainingData
from bench_torch.transfer import sent


@dataclass(frozen=True)
class Labels:
    """The classes of n videos.

    Attributes:
        shares: (n, classes) float32: a video's classes in equal parts, together 1.
    """

    shares: Tensor

    def __len__(self) -> int:
        return len(self.shares)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.shares.shape[1])

    @classmethod
    def of(cls, data: TrainingData) -> Labels:
        """Returns the classes of the videos of `data`. Raises: InvalidData for a video without one."""
        bare = [video for video, labels in zip(data.videos.ids, data.labels, strict=False) if not labels]
        if len(data.labels) != len(data) or bare:
            raise InvalidData(
                f"{len(bare) or len(data)} of {len(data)} training videos have no class. "
                "Give each at least one in labels.csv, or take them out."
            )
        shares = torch.zeros(len(data), len(data.class_names))
        for row, labels in zip(shares, data.labels, strict=True):
            row[list(labels)] = 1 / len(labels)
        return cls(shares)

    def select(self, indices: Sequence[int]) -> Labels:
        """Returns the classes of the videos at `indices`, in that order."""
        return Labels(self.shares[list(indices)])

    def to(self, device: str) -> Labels:
        """Returns the same on `device`."""
        return Labels(sent(self.shares, device))
