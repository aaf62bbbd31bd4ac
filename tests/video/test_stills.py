"""Still images are videos of one frame; tests of them need Pillow alone, which matplotlib brings along."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.errors import InvalidData
from bench.video import FrameRequest, Sampler, VideoFile, decoded

PIXELS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 10


def test_an_image_is_one_frame_that_lasts_a_second(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a b.png")
    video = VideoFile(tmp_path / "a b.png")
    assert np.array_equal(next(video.read([0])), PIXELS)
    assert (len(video.index), float(video.index.duration), video.index.picture.codec) == (1, 1.0, "png")
    assert Sampler.parse("fps=1").places(video.index).tolist() == [0]
    answer = decoded(FrameRequest(tmp_path / "a b.png", Sampler.parse("frames=3 repeat")))
    assert answer.rows[0].tolist() == [0, 0, 0]
    assert np.array_equal(answer.frames[0], PIXELS)


@pytest.mark.parametrize(("orientation", "turns", "degrees"), [(3, 2, 180), (6, 3, 270), (8, 1, 90)])
def test_an_image_is_turned_as_its_camera_says(tmp_path: Path, orientation: int, turns: int, degrees: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PIXELS).save(tmp_path / "a.png", exif=exif)
    video = VideoFile(tmp_path / "a.png")
    assert np.array_equal(next(video.read([0])), np.rot90(PIXELS, turns))
    assert video.index.picture.rotation == degrees


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK"])
def test_images_of_all_usual_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    name = "a.tif" if mode == "CMYK" else "a.png"
    Image.fromarray(PIXELS).convert(mode).save(tmp_path / name)
    assert next(VideoFile(tmp_path / name).read([0])).shape == (2, 3, 3)


def test_what_would_lose_pixels_or_pictures_is_an_error(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(InvalidData, match="more than 8 bits a colour"):
        VideoFile(tmp_path / "deep.png")
    several = [Image.fromarray(PIXELS + np.uint8(step)) for step in range(3)]
    several[0].save(tmp_path / "moving.png", save_all=True, append_images=several[1:])
    with pytest.raises(InvalidData, match="holds 3 pictures"):
        VideoFile(tmp_path / "moving.png")
    content = (tmp_path / "moving.png").read_bytes()
    (tmp_path / "half.png").write_bytes(content[:60])
    with pytest.raises(InvalidData, match="is not a whole image"):
        VideoFile(tmp_path / "half.png")
