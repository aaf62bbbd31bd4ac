"""Which feature rows a segment covers and which of them are kept: pure integer arithmetic on whole batches.

Source: as the released code of "Cross-Modal and Hierarchical Modeling of Video and Text" (ECCV 2018) cuts clips.
Letters: `n` sequences, `B` videos, `S` segments, `T` feature rows of a video.
"""

from __future__ import annotations

import numpy as np


def segment_rows(segments: np.ndarray, durations: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns first and last row of each segment, inclusive: two (S,) int64.

    floor(start / duration * T) to ceil(end / duration * T), both clipped to 0..T-1; never empty.

    Args:
        segments: (S, 2) float64, start and end in seconds.
        durations: (S,) float64, seconds, of the video each segment lies in.
        rows: (S,) int64, the T of that video.
    """
    first = np.floor(segments[:, 0] / durations * rows).astype(np.int64)
    last = np.ceil(segments[:, 1] / durations * rows).astype(np.int64)
    first = np.clip(first, 0, rows - 1)
    return first, np.maximum(np.clip(last, 0, rows - 1), first)


def frame_rows(moments: np.ndarray, frames: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns first and last row of moments that are counted in frames, inclusive: two (S,) int64; never empty.

    Where there is a row for each frame (the stride frames / T rounds to 1): start to end, and the whole video when one
    of them exceeds T. At another stride: floor(start / frames * T) to floor(end / frames * T).

    Source: the released code of Zhang, Hu and Sha (ECCV 2018) for DiDeMo; the rule for other strides is ours.

    Args:
        moments: (S, 2) int64, start and end frame, 0 <= start, end <= frames.
        frames: (S,) int64, at least 1, of the video each moment lies in.
        rows: (S,) int64, the T of that video.
    """
    scaled = moments * rows[:, None] // frames[:, None]
    each_frame = np.round(frames / rows) == 1
    first, last = np.where(each_frame[:, None], moments, scaled).T
    whole = each_frame & (moments > rows[:, None]).any(axis=1)
    first = np.where(whole, 0, np.minimum(first, rows - 1))
    return first, np.maximum(np.where(whole, rows - 1, np.minimum(last, rows - 1)), first)


def window_rows(windows: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns first and last row of `windows` equal windows of each video: two (B * windows,) int64, by video.

    The same rule as `segment_rows`, in integers, so that no window moves by a row through rounding.

    Args:
        windows: how many per video, at least 1.
        rows: (B,) int64, the T of each video.
    """
    number = np.arange(windows, dtype=np.int64)[None, :]
    first = number * rows[:, None] // windows
    last = -((number + 1) * -rows[:, None] // windows)  # ceiling
    return first.ravel(), np.minimum(last, rows[:, None] - 1).ravel()


def window_times(windows: int, durations: np.ndarray) -> np.ndarray:
    """Returns (B * windows, 2) float64: start and end in seconds of equal windows of videos (B,) seconds long."""
    edges = np.arange(windows + 1) / windows * durations[:, None]
    return np.stack([edges[:, :-1].ravel(), edges[:, 1:].ravel()], axis=1)


def kept_rows(first: np.ndarray, lengths: np.ndarray, max_rows: int) -> np.ndarray:
    """Returns (sum of min(lengths, max_rows),) int64: the rows kept of each sequence, one sequence after the other.

    A sequence longer than `max_rows` keeps its rows floor(k * length / max_rows), k = 0 … max_rows - 1.

    Args:
        first: (n,) int64, the row each sequence starts at.
        lengths: (n,) int64, its length, at least 1.
    """
    kept = np.minimum(lengths, max_rows)
    steps = ranges(np.zeros_like(kept), kept)
    chosen: np.ndarray = np.repeat(first, kept) + steps * np.repeat(lengths, kept) // np.repeat(kept, kept)
    return chosen


def ranges(first: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Returns (sum of counts,) int64: first[0], first[0] + 1, … for counts[0] numbers, then the next range."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    numbers: np.ndarray = np.arange(total, dtype=np.int64) + np.repeat(first - (ends - counts), counts)
    return numbers
