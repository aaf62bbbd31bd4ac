"""Where the clips of a split begin and end under a view: the videos of a split, cut all at once.

Letters: `n` videos, `S` segments of all videos, `T` feature rows of a video.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.data.segments import frame_rows, segment_rows, window_rows, window_times
from bench.errors import MissingData
from bench.inputs import View


@dataclass(frozen=True)
class UncutVideos:
    """The videos of a split before a view cuts them.

    Attributes:
        ids: (n,) opaque ids, as models see them.
        sources: (n,) video ids, as the feature source knows them.
        durations: (n,) float64, seconds; NaN where nobody says.
        timestamps: (n,) annotated segments, each a list of [start, end] in seconds; empty where there are none.
        frames: (n,) int64, video frames that timestamps were counted in, 0 where they were made in seconds; None for
            seconds throughout.
    """

    ids: tuple[str, ...]
    sources: tuple[str, ...]
    durations: np.ndarray
    timestamps: tuple[list[list[float]], ...]
    frames: np.ndarray | None = None


@dataclass(frozen=True)
class Cut:
    """The videos of a split as a view shows them.

    Attributes:
        whole: (n,) int64, feature rows of each video.
        durations: (n,) float64, seconds.
        counts: (n,) int64, segments of each video.
        segments: (S, 2) float64, start and end in seconds, one video after the other.
        first, lengths: (S,) int64, the row each segment starts at and the number of its rows.
    """

    whole: np.ndarray
    durations: np.ndarray
    counts: np.ndarray
    segments: np.ndarray
    first: np.ndarray
    lengths: np.ndarray


def cut(videos: UncutVideos, lengths: np.ndarray, view: View) -> Cut:
    """Returns the videos, `lengths` (n,) int64 feature rows long, as `view` shows them.

    A video of unknown duration counts one second per feature row.

    Raises: MissingData when the view takes annotated segments and a video has none.
    """
    durations = np.where(np.isnan(videos.durations), lengths, videos.durations)
    if view.segments == "gt":
        return _annotated(videos, lengths, durations)
    windows = 1 if view.segments == "none" else int(view.segments.removeprefix("uniform-"))
    first, last = window_rows(windows, lengths)
    counts = np.full(len(lengths), windows, dtype=np.int64)
    return Cut(lengths, durations, counts, window_times(windows, durations), first, last - first + 1)


def _annotated(videos: UncutVideos, lengths: np.ndarray, durations: np.ndarray) -> Cut:
    """Returns the videos with the segments of their annotators. Raises: MissingData."""
    counts = np.fromiter((len(times) for times in videos.timestamps), dtype=np.int64, count=len(lengths))
    bare = np.flatnonzero(counts == 0)
    if len(bare):
        raise MissingData(
            f"segments=gt: {len(bare)} of {len(lengths)} videos have no timestamps, such as "
            f"{videos.sources[bare[0]]!r}. Use segments=none or segments=uniform-4."
        )
    flat = [segment for times in videos.timestamps for segment in times]
    segments = np.array(flat, dtype=np.float64).reshape(-1, 2)
    of_video, rows = np.repeat(durations, counts), np.repeat(lengths, counts)
    first, last = segment_rows(segments, of_video, rows)
    if videos.frames is not None:
        frames = np.repeat(videos.frames, counts)
        framed = np.flatnonzero(frames > 0)
        moments = np.rint(segments[framed] / of_video[framed, None] * frames[framed, None]).astype(np.int64)
        first[framed], last[framed] = frame_rows(moments, frames[framed], rows[framed])
    return Cut(lengths, durations, counts, segments, first, last - first + 1)
