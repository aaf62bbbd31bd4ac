"""Frames as mean colours of a grid: next to nothing, where a pack is there to say which frames were taken."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bench.api import Execution, Settings

GRID = 4


class Thumbnails:
    """Four by four mean colours of each frame, from 0 to 1."""

    dim = GRID * GRID * 3
    preprocessing = f"mean colours of {GRID} x {GRID} parts"

    def __init__(self, settings: Settings, execution: Execution) -> None:
        self.device = execution.device

    def prepare(self, frame: np.ndarray) -> Tensor:
        """Returns (48,) from a frame of any size; a side of fewer pixels than parts repeats them."""
        rows, columns = (_bounds(side) for side in frame.shape[:2])
        sums = frame.astype(np.float64)
        parts = [[sums[a:b, c:d].mean(axis=(0, 1)) for c, d in columns] for a, b in rows]
        return torch.tensor(np.array(parts).reshape(-1) / 255.0, dtype=torch.float32)

    def embed_frames(self, frames: Tensor) -> Tensor:
        """Returns the inputs as they are."""
        return frames.to(self.device)


def _bounds(side: int) -> list[tuple[int, int]]:
    starts = [part * side // GRID for part in range(GRID)]
    return [(start, max(start + 1, (part + 1) * side // GRID)) for part, start in enumerate(starts)]
