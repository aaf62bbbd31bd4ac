"""An encoder that costs nothing, offered as a plugin is: a frame becomes the means of its colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from bench.api import EncoderSpec, Execution, FrameEncoder, Settings, hookimpl


class Means:
    dim = 3
    preprocessing = "none"

    def __init__(self, settings: Settings, execution: Execution) -> None: ...

    def prepare(self, frame: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(frame.mean(axis=(0, 1)).astype(np.float32))

    def embed_frames(self, frames: torch.Tensor) -> torch.Tensor:
        return frames


@hookimpl
def bench_encoders() -> list[EncoderSpec]:
    return [EncoderSpec("tiny", "means of colours", "tiny_encoder:Means", (FrameEncoder,))]


def offered(folder: Path) -> Path:
    """Returns `folder`, which on PYTHONPATH offers this encoder as if a package had been installed."""
    metadata = folder / "tiny_encoder-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-encoder\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[bench]\ntiny = tiny_encoder\n")
    return folder
