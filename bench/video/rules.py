"""Which frames stand for a video, by the rules of the field: indices out of counts, as the original programs take them.

Every rule is a pure function of how many frames there are. `tests/video/test_rules.py` compares each with what its
original takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np


@dataclass(frozen=True)
class Count:
    """What a rule is told: the frames there are, and what was asked for.

    Attributes:
        total: frames of the video or segment.
        frames: how many were asked for; 0 where a rate was.
        fps: how many a second were asked for; 0 where a number was.
        rate: frames a second that the file says it has, in the mean.
    """

    total: int
    frames: int = 0
    fps: Fraction = Fraction(0)
    rate: Fraction = Fraction(1)

    @property
    def by_rate(self) -> int:
        """How many frames transformers makes of a rate: whole ones of `total / rate * fps`, in floats."""
        return int(self.total / float(self.rate) * float(self.fps))


def tsn_centre(count: Count) -> np.ndarray:
    """The middle of each of K equal parts.

    Source: yjxiong/tsn-pytorch, dataset.py, `_get_test_indices` with `new_length` 1.
    """
    tick = count.total / float(count.frames)
    return np.array([int(tick / 2.0 + tick * i) for i in range(count.frames)])


def linspace_round(count: Count) -> np.ndarray:
    """K frames from the first to the last, evenly, rounded: `np.linspace(0, n - 1, K).round()`; halves to even."""
    return np.linspace(0, count.total - 1, count.frames).round().astype(int)


def linspace_floor(count: Count) -> np.ndarray:
    """K frames from the first to the last, evenly, cut off: `np.linspace(0, n - 1, K).astype(int)`."""
    return np.linspace(0, count.total - 1, count.frames).astype(int)


def hf_arange(count: Count) -> np.ndarray:
    """The start of each of K equal parts: the last frame lies K-1/K into the video. Of a rate, at least one.

    Source: transformers 5.24.0, `default_sample_indices_fn`, in whole numbers: VideoMAE, LLaVA-OneVision, V-JEPA 2 and
    most other processors.
    """
    wanted = count.frames or max(1, count.by_rate)
    return np.arange(wanted) * count.total // wanted


def qwen2_vl(count: Count) -> np.ndarray:
    """The start of each of K equal parts, K even, in floats: now and then K + 1 frames. Of a rate, from 4 to 768.

    Source: transformers 5.24.0, `Qwen2VLVideoProcessor.sample_frames`: `torch.arange(0, n, n / K).int()`.
    """
    if count.frames:
        wanted = round(count.frames / 2) * 2
    else:
        most = min(768, count.total) // 2 * 2
        wanted = math.floor(min(max(count.total / float(count.rate) * float(count.fps), 4), most, count.total) / 2) * 2
    return _arange(0.0, count.total, wanted)


def internvl(count: Count) -> np.ndarray:
    """The middle of each of K equal parts, in floats. Beyond a thousand frames the original's depend on the processor.

    Source: transformers 5.24.0, `InternVLVideoProcessor.sample_frames`, `initial_shift` true.
    """
    wanted = count.frames or count.by_rate
    return _arange(count.total / wanted / 2 if wanted else 0.0, count.total, wanted)


def qwen3_vl(count: Count) -> np.ndarray:
    """K frames from the first to the last, evenly, rounded; of a rate, at least 4 and at most 768.

    Source: transformers 5.24.0, `Qwen3VLVideoProcessor.sample_frames`; its default is 2 a second.
    """
    wanted = count.frames or min(max(count.by_rate, 4), 768, count.total)
    return np.linspace(0, count.total - 1, wanted).round().astype(int)


def glm_4v(count: Count) -> np.ndarray:
    """So many a second, each rounded up, at most 300 seconds' worth, and an even number: else the last one twice.

    Source: transformers 5.24.0, `Glm4vVideoProcessor.sample_frames`; its default is 2 a second.
    """
    rate, fps, last = float(count.rate), float(count.fps), count.total - 1
    duration, longest = count.total / rate, 300
    if duration <= longest:
        wanted = max(math.floor(duration * fps), 1)
        indices = [min(last, math.ceil(i * rate / fps)) for i in range(wanted)]
    else:
        wanted = int(longest * fps)
        seconds = np.linspace(0, duration, wanted, endpoint=True).tolist()
        indices = [min(last, math.ceil(second * rate)) for second in seconds]
        if wanted >= count.total:
            indices = list(range(count.total))
    indices = list(dict.fromkeys(indices))
    return np.array(indices + indices[-1:] * (len(indices) & 1))


def clip4clip_1fps(count: Count) -> np.ndarray:
    """One frame a second, of a rate that is cut off to a whole number: at 29.97, second 100 is frame 2,900, at 96.76 s.

    Source: ArrowLuo/CLIP4Clip, dataloaders/rawvideo_util.py, `video_to_tensor`. Reads past the end fail there, and end
    the video.
    """
    rate = max(1, int(count.rate))
    return np.arange(0, count.total, rate)


def frozen(count: Count) -> np.ndarray:
    """The middle of each of K equal parts, whose bounds are cut off first. Fewer frames than K: all of them.

    Source: m-bain/frozen-in-time, base/base_dataset.py, `sample_frames` with `sample="uniform"`.
    """
    bounds = np.linspace(0, count.total, min(count.frames, count.total) + 1).astype(int)
    return np.asarray((bounds[:-1] + bounds[1:] - 1) // 2)


def frozen_opencv(count: Count) -> np.ndarray:
    """One frame before those of `frozen`.

    Source: the same file, `read_frames_cv2`: it seeks to `index - 1`, and reads; its other readers take `index`.
    """
    return np.asarray(np.clip(frozen(count) - 1, 0, None))


def _arange(start: float, total: int, wanted: int) -> np.ndarray:
    """Returns what `torch.arange(start, total, total / wanted).int()` is: floats of 32 bits, now and then one more."""
    if wanted < 1:
        return np.zeros(0, int)
    step = total / wanted
    return (start + step * np.arange(math.ceil((total - start) / step))).astype(np.float32).astype(int)


@dataclass(frozen=True)
class Rule:
    """A rule with what it can be asked.

    Attributes:
        indices: from counts to indices.
        asks: which of `frames` and `fps` it takes.
        fps: frames a second where nothing is asked; 0 where something must be.
        fewer: whether it may answer with fewer frames than were asked for, as its original does.
    """

    indices: Callable[[Count], np.ndarray]
    asks: tuple[str, ...] = ("frames",)
    fps: Fraction = Fraction(0)
    fewer: bool = False


RULES: Mapping[str, Rule] = {
    "tsn-centre": Rule(tsn_centre),
    "linspace-round": Rule(linspace_round),
    "linspace-floor": Rule(linspace_floor),
    "hf-arange": Rule(hf_arange, ("frames", "fps")),
    "qwen2-vl": Rule(qwen2_vl, ("frames", "fps"), Fraction(2)),
    "qwen3-vl": Rule(qwen3_vl, ("frames", "fps"), Fraction(2)),
    "internvl": Rule(internvl, ("frames", "fps")),
    "glm-4v": Rule(glm_4v, ("fps",), Fraction(2)),
    "clip4clip-1fps": Rule(clip4clip_1fps, (), Fraction(1)),
    "frozen": Rule(frozen, fewer=True),
    "frozen-opencv": Rule(frozen_opencv, fewer=True),
}
