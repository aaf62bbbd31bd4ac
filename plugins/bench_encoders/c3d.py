"""C3D in the layout of its paper: eight convolutions over space and time, two full layers; weights are the user's.

Names of weights are those of the layers, `conv1a.weight` to `fc7.bias`; a classifier beside them is left out. A tensor
`mean` of (3, 16, 128, 171) in the file, values of 0 to 255, is subtracted as the authors did; without one nothing is.
The authors read frames with OpenCV, blue first; weights that were converted from theirs expect that.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from bench.api import Execution, InvalidData, Settings, UsageError
from bench_encoders.checkpoints import tensors_in
from bench_torch.training import autocast

WINDOW, HEIGHT, WIDTH, CROP = 16, 128, 171, 112
LAYERS = (
    ("conv1a", 3, 64, (1, 2, 2)),
    ("conv2a", 64, 128, (2, 2, 2)),
    ("conv3a", 128, 256, None),
    ("conv3b", 256, 256, (2, 2, 2)),
    ("conv4a", 256, 512, None),
    ("conv4b", 512, 512, (2, 2, 2)),
    ("conv5a", 512, 512, None),
    ("conv5b", 512, 512, (2, 2, 2)),
)
"""Name, channels in and out, and what is pooled after it; the last pooling rounds 7 × 7 up to 4 × 4, as Caffe does."""


class C3DNetwork(nn.Module):
    """Windows (n, 3, 16, 112, 112) to (n, 4096): fc6 or fc7, each after its ReLU."""

    def __init__(self, layer: str) -> None:
        super().__init__()
        for name, channels, further, _ in LAYERS:
            self.add_module(name, nn.Conv3d(channels, further, kernel_size=3, padding=1))
        self.fc6 = nn.Linear(512 * 4 * 4, 4096)
        if layer == "fc7":
            self.fc7 = nn.Linear(4096, 4096)

    def forward(self, windows: Tensor) -> Tensor:
        for name, _, _, pooled in LAYERS:
            windows = self.get_submodule(name)(windows).relu()
            if pooled:
                windows = nn.functional.max_pool3d(self._padded(name, windows), pooled)
        vectors = self.fc6(windows.flatten(1)).relu()
        return cast("Tensor", self.fc7(vectors).relu() if hasattr(self, "fc7") else vectors)

    @staticmethod
    def _padded(name: str, maps: Tensor) -> Tensor:
        return nn.functional.pad(maps, (0, 1, 0, 1)) if name == "conv5b" else maps


class C3D:
    """A window of 16 frames, shrunk to 128 × 171 and cut to its middle 112 × 112."""

    window = WINDOW
    dim = 4096

    def __init__(self, settings: Settings, execution: Execution) -> None:
        if not settings["weights"]:
            raise UsageError("c3d: its weights are the user's. Name the file: weights=FILE (.safetensors or .pth).")
        self.execution = execution
        file = Path(str(settings["weights"]))
        tensors = tensors_in(file.read_bytes(), file.name)
        mean = tensors.pop("mean", torch.zeros(3, WINDOW, HEIGHT, WIDTH))
        if mean.shape != (3, WINDOW, HEIGHT, WIDTH):
            raise InvalidData(f"{file.name}: its mean has the shape {tuple(mean.shape)}, expected (3, 16, 128, 171).")
        self.blue_first = settings["channels"] == "bgr"
        self.mean = _centre(mean.float()).contiguous()
        self.network = C3DNetwork(str(settings["layer"]))
        wanted = self.network.state_dict()
        try:
            self.network.load_state_dict({name: tensor for name, tensor in tensors.items() if name in wanted})
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise InvalidData(f"{file.name} holds no C3D, conv1a to {settings['layer']}: {reason}") from error
        self.network.eval().to(execution.device)
        subtracted = "the file's mean subtracted" if mean.any() else "no mean subtracted"
        colours = f"{settings['channels']} of 0 to 255, {subtracted}"
        self.preprocessing = f"{HEIGHT} × {WIDTH} bilinear (Pillow), centre crop {CROP}, {colours}"

    def prepare_window(self, frames: np.ndarray) -> Tensor:
        """Returns (3, 16, 112, 112) float32."""
        size = (WIDTH, HEIGHT)
        shrunk = [np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR)) for frame in frames]
        maps = _centre(torch.from_numpy(np.stack(shrunk)).permute(3, 0, 1, 2)).float()
        return (maps.flip(0) if self.blue_first else maps) - self.mean

    def embed_windows(self, windows: Tensor) -> Tensor:
        with torch.inference_mode(), autocast(self.execution):
            return cast("Tensor", self.network(windows.to(self.execution.device)).float())


def _centre(maps: Tensor) -> Tensor:
    top, left = (HEIGHT - CROP) // 2, (WIDTH - CROP) // 2
    return maps[..., top : top + CROP, left : left + CROP]
