"""Still images as videos of one frame, through Pillow."""

from __future__ import annotations

import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np

from bench.errors import InvalidData, MissingData
from bench.reading.outside import Form, reading, regular_file
from bench.video.index import CodedPicture, FrameIndex

IMAGE = Form("a whole image")
STARTS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF"}
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
"""Modes of eight bits a colour at most. Pillow cuts deeper ones off instead of scaling them."""
ROTATED = {3: 180, 6: 270, 8: 90}
"""Degrees counter-clockwise for each EXIF orientation that turns and does not mirror."""


def form_of_still(path: Path) -> str | None:
    """Returns what form of still image a file has by its first bytes; None for anything else."""
    with reading(regular_file(path), IMAGE), path.open("rb") as file:
        head = file.read(16)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    return next((name for start, name in STARTS.items() if head.startswith(start)), None)


def versions() -> str:
    """Returns what decodes still images, with its release. Raises: MissingData where it is not installed."""
    try:
        import PIL
    except ImportError as error:
        raise MissingData(f"reading images needs Pillow ({error}): pip install 'vtbench[video]'") from error
    return f"Pillow {PIL.__version__}"


def read_still(path: Path, form: str) -> tuple[FrameIndex, np.ndarray]:
    """Returns the index of an image, one frame that lasts a second, and its (H, W, 3) uint8 RGB, turned by its EXIF.

    What is transparent keeps the colour that is stored below it.

    Raises: InvalidData for a damaged one, one of several pictures, and one of more than eight bits a colour.
    """
    versions()
    from PIL import Image, ImageOps

    with warnings.catch_warnings(), reading(path, IMAGE):
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path, formats=(form,)) as image:
            frames, mode, orientation = getattr(image, "n_frames", 1), image.mode, image.getexif().get(0x0112, 1)
            if frames > 1:
                raise InvalidData(f"{path} holds {frames} pictures. Write it as a video: ffmpeg -i FILE NEW.mp4")
            if mode not in MODES:
                raise InvalidData(f"{path} has more than 8 bits a colour (mode {mode}). Write it as a PNG of 8 bits.")
            pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    height, width = pixels.shape[:2]
    picture = CodedPicture(form.lower(), form.lower(), mode, width, height, ROTATED.get(orientation, 0))
    return FrameIndex(np.zeros(1, np.int64), Fraction(1), 0, 1, picture), pixels
