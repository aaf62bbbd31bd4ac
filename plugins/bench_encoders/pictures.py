"""Frames to a size: what image networks are given, by the resampling that their weights were trained with."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of ImageNet's channels, red, green and blue, for pixels of 0 to 1."""


def centre_crop(image: Image.Image, short_side: int, side: int) -> Image.Image:
    """Returns the middle `side` × `side` pixels of a picture that was shrunk or grown to `short_side`.

    Pillow's bicubic filter, which widens where it shrinks; the long side is rounded, and an odd pixel is left out at
    the right and below. To cut the long side off instead, or not to widen the filter, moves
    vectors of EfficientNet-Lite0 to mean cosines of 0.995 and 0.993. Only what is kept is computed.
    """
    scale = short_side / min(image.size)
    sizes = [max(short_side, round(extent * scale)) for extent in image.size]
    starts = [(size - side) // 2 for size in sizes]
    back = [extent / size for extent, size in zip(image.size, sizes, strict=True)]  # from result to picture
    left, top = (start * factor for start, factor in zip(starts, back, strict=True))
    right, bottom = ((start + side) * factor for start, factor in zip(starts, back, strict=True))
    return image.resize((side, side), Image.Resampling.BICUBIC, box=(left, top, right, bottom))


def pixels(image: Image.Image) -> Tensor:
    """Returns (3, H, W) uint8."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def normalised(frames: Tensor, mean: tuple[float, ...], deviation: tuple[float, ...]) -> Tensor:
    """Returns (n, 3, H, W) float32 from uint8, channel by channel."""
    shape = (1, -1, 1, 1)
    scaled = frames.float() / 255
    return (scaled - scaled.new_tensor(mean).reshape(shape)) / scaled.new_tensor(deviation).reshape(shape)
