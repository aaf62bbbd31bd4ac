"""Where the clips of a split begin and end under a view: the videos of a split, cut all at once.

Letters: `n` videos, `S` segments of all videos, `T` feature rows of a video.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from bench.data.digests import kept_positions, shuffled_positions
from bench.data.segments import frame_rows, segment_rows, window_rows, window_times
from bench.errors import MissingData
from bench.inputs import View
from bench.reading.numbers import number_of

STAND_INS = 5
"""Equal windows that stand for the clips of a video without annotated ones."""


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
        segment_rows: (S,) int64, feature rows of each segment, where features were made segment by segment; None where
            a segment has the rows of its share of the time.
    """

    ids: tuple[str, ...]
    sources: tuple[str, ...]
    durations: np.ndarray
    timestamps: tuple[list[list[float]], ...]
    frames: np.ndarray | None = None
    segment_rows: np.ndarray | None = None


@dataclass(frozen=True)
class Cut:
    """The videos of a split as a view shows them.

    Attributes:
        whole: (n,) int64, feature rows of each video.
        durations: (n,) float64, seconds.
        counts: (n,) int64, segments of each video.
        segments: (S, 2) float64, start and end in seconds, one video after the other.
        first, lengths: (S,) int64, the row each segment starts at and the number of its rows.
        kept: (sum of `whole`,) int64, the stored row behind each row that is left, one video after the other; None when
            videos are whole.
    """

    whole: np.ndarray
    durations: np.ndarray
    counts: np.ndarray
    segments: np.ndarray
    first: np.ndarray
    lengths: np.ndarray
    kept: np.ndarray | None = None

    def stored(self, videos: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Returns (k,) int64, the stored rows behind `rows` (k,) of `videos` (k,), counted in what is left of them."""
        if self.kept is None:
            return rows
        starts = np.cumsum(self.whole) - self.whole
        return np.asarray(self.kept[starts[videos] + rows])


def cut(videos: UncutVideos, lengths: np.ndarray, view: View) -> Cut:
    """Returns the videos, `lengths` (n,) int64 feature rows long, as `view` shows them.

    A video of unknown duration counts one second per feature row.

    Raises: MissingData when the view takes annotated segments and a video has none.
    """
    durations = np.where(np.isnan(videos.durations), lengths, videos.durations)
    if view.keep_videos < 1:
        shown = _segmented(_left(videos, lengths, durations, view), view.segments)
    elif view.segments == "gt":
        shown = _annotated(videos, lengths, durations)
    else:
        none = np.zeros(0, dtype=np.int64)
        shown = _segmented(Cut(lengths, durations, none, none, none, none), view.segments)
    return _shuffled(shown, videos.sources, view.seed) if view.shuffle == "clips" else shown


def _shuffled(videos: Cut, sources: tuple[str, ...], seed: int) -> Cut:
    """Returns the videos with the segments of each in another order; what they hold, times too, goes with them."""
    starts = np.cumsum(videos.counts) - videos.counts
    moved = [
        start + np.array(shuffled_positions(source, count, "clip", seed), dtype=np.int64)
        for source, start, count in zip(sources, starts.tolist(), videos.counts.tolist(), strict=True)
    ]
    order = np.concatenate(moved) if moved else np.zeros(0, dtype=np.int64)
    return replace(videos, segments=videos.segments[order], first=videos.first[order], lengths=videos.lengths[order])


def _segmented(videos: Cut, segments: str) -> Cut:
    """Returns the videos with equal windows over what is left of them; their own segments for `gt`."""
    if segments == "gt":
        return videos
    windows = 1 if segments == "none" else int(segments.removeprefix("uniform-"))
    first, last = window_rows(windows, videos.whole)
    return replace(
        videos,
        counts=np.full(len(videos.whole), windows, dtype=np.int64),
        segments=window_times(windows, videos.durations),
        first=first,
        lengths=last - first + 1,
    )


def _left(videos: UncutVideos, lengths: np.ndarray, durations: np.ndarray, view: View) -> Cut:
    """Returns what is left of the videos, with the clips that are left as their segments.

    Of a video that loses clips, `prefix` leaves all rows up to the last one of a kept clip, `random` the rows that lie
    in a kept clip; time is what these rows take. A video that keeps all its clips is whole. Five equal windows stand
    for the clips of a video without annotated ones.
    """
    if view.segments != "gt":
        bare = window_times(STAND_INS, durations).reshape(-1, STAND_INS, 2)
        times = tuple(own or bare[i].tolist() for i, own in enumerate(videos.timestamps))
        videos = replace(videos, timestamps=times)
    clips = _annotated(videos, lengths, durations)
    starts = np.cumsum(clips.counts) - clips.counts
    positions = [
        kept_positions(source, count, view.keep_videos, view)
        for source, count in zip(videos.sources, clips.counts.tolist(), strict=True)
    ]
    counts = np.fromiter(map(len, positions), dtype=np.int64, count=len(positions))
    owners = np.repeat(np.arange(len(lengths)), counts)
    chosen = starts[owners] + np.fromiter(chain.from_iterable(positions), dtype=np.int64, count=len(owners))
    first, rows = clips.first[chosen], clips.lengths[chosen]
    bases = np.cumsum(lengths) - lengths  # all videos one after the other, on one line of rows
    begins = bases[owners] + (first if view.order == "random" else 0)
    changes = np.bincount(begins, minlength=lengths.sum() + 1) - np.bincount(
        bases[owners] + first + rows, minlength=lengths.sum() + 1
    )
    videos_of_rows = np.repeat(np.arange(len(lengths)), lengths)
    left = (np.cumsum(changes[:-1]) > 0) | (counts == clips.counts)[videos_of_rows]
    whole = np.bincount(videos_of_rows[left], minlength=len(lengths)).astype(np.int64)
    before = np.cumsum(left) - left
    moved = (before[bases[owners] + first] - before[bases[owners]]).astype(np.int64)
    seconds_per_row = durations / lengths
    segments = clips.segments[chosen] - ((first - moved) * seconds_per_row[owners])[:, None]
    return Cut(
        whole=whole,
        durations=seconds_per_row * whole,
        counts=counts,
        segments=np.clip(segments, 0, (seconds_per_row * whole)[owners, None]),
        first=moved,
        lengths=rows,
        kept=np.flatnonzero(left) - bases[videos_of_rows[left]],
    )


def _annotated(videos: UncutVideos, lengths: np.ndarray, durations: np.ndarray) -> Cut:
    """Returns the videos with the segments of their annotators. Raises: MissingData."""
    counts = np.fromiter((len(times) for times in videos.timestamps), dtype=np.int64, count=len(lengths))
    bare = np.flatnonzero(counts == 0)
    if len(bare):
        raise MissingData(
            f"segments=gt: {len(bare)} of {number_of(len(lengths), 'video')} have no timestamps, such as "
            f"{videos.sources[bare[0]]!r}. Use segments=none or segments=uniform-4."
        )
    flat = [segment for times in videos.timestamps for segment in times]
    segments = np.array(flat, dtype=np.float64).reshape(-1, 2)
    if videos.segment_rows is not None:
        own = videos.segment_rows
        before = np.repeat(np.cumsum(lengths) - lengths, counts)  # rows of the videos before, on one line of rows
        return Cut(lengths, durations, counts, segments, np.cumsum(own) - own - before, own)
    of_video, rows = np.repeat(durations, counts), np.repeat(lengths, counts)
    first, last = segment_rows(segments, of_video, rows)
    if videos.frames is not None:
        frames = np.repeat(videos.frames, counts)
        framed = np.flatnonzero(frames > 0)
        moments = np.rint(segments[framed] / of_video[framed, None] * frames[framed, None]).astype(np.int64)
        first[framed], last[framed] = frame_rows(moments, frames[framed], rows[framed])
    return Cut(lengths, durations, counts, segments, first, last - first + 1)
