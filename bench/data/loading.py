"""Videos of a split as batches of feature rows, cut by one view, read ahead in a background thread.

Letters: `B` videos of a batch, `S` segments, `T` feature rows of a video, `D` feature dimension.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import torch

from bench.data.cutting import UncutVideos, cut
from bench.data.declared import FeatureSource, SegmentedFeatures
from bench.data.segments import kept_rows, ranges
from bench.errors import InvalidData, UsageError
from bench.inputs import Ragged, VideoBatch, View
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.data.pictures import VideosInPictures

READ_AHEAD = 3
"""Batches in memory at most: the one in use, one ready, one being read."""
SERIAL = 32_000
"""Numbers torch converts without starting threads, which would compete with those that compute."""

HALF_EXPONENT = 0x7C00
"""The bits of float16 that are all set in NaN and infinity, and in no number."""


class FrameVideos:
    """Videos cut by a view, at most `max_rows` feature rows per segment and per whole video (`bench.inputs.Videos`).

    A video of unknown duration counts one second per feature row.
    """

    def __init__(
        self,
        videos: UncutVideos,
        features: FeatureSource,
        view: View,
        max_rows: int,
        pictures: VideosInPictures | None = None,
    ) -> None:
        """Raises: MissingData for videos without features or segments; UsageError for a row cap below 1."""
        if max_rows < 1:
            raise UsageError(f"max_rows={max_rows}: a video keeps at least 1 feature row. Ask for 1 or more.")
        self.ids, self.dim = videos.ids, features.dim
        self._videos = videos
        self._features = features
        self._pictures = pictures
        self._max_rows = max_rows
        self._lengths = features.lengths(videos.sources)
        self._cut = cut(_with_own_rows(videos, features), self._lengths, view)
        self._offsets = np.cumsum(self._cut.counts) - self._cut.counts
        kept = np.minimum(self._cut.lengths, max_rows)
        owners = np.repeat(np.arange(len(self)), self._cut.counts)
        self._clip_rows = np.bincount(owners, weights=kept, minlength=len(self)).astype(np.int64)
        self.rows: np.ndarray = np.minimum(self._cut.whole, max_rows) + self._clip_rows

    def __len__(self) -> int:
        return len(self._videos.ids)

    def batch(self, indices: Sequence[int]) -> VideoBatch:
        """Returns the videos at `indices`, in that order, on the CPU. Raises: InvalidData for unusable features."""
        return self._batch(indices, pin=False)

    def _batch(self, indices: Sequence[int], *, pin: bool) -> VideoBatch:
        """Returns a batch whose rows are copied once, from where they are stored to where they are used.

        With `pin` it lies in page-locked memory, from which a GPU copies while the CPU goes on; rows that are stored as
        float16 stay so, half as much to copy, and are made float32 there.
        """
        chosen = np.asarray(indices, dtype=np.int64)
        counts = self._cut.counts[chosen]
        clips = ranges(self._offsets[chosen], counts)
        whole, clip_lengths = self._cut.whole[chosen], self._cut.lengths[clips]
        frame_counts, clip_counts = np.minimum(whole, self._max_rows), np.minimum(clip_lengths, self._max_rows)
        frame_rows = kept_rows(np.zeros_like(whole), whole, self._max_rows)
        clip_rows = kept_rows(self._cut.first[clips], clip_lengths, self._max_rows)
        owned = self._clip_rows[chosen]
        read: Iterable[np.ndarray] = map(self._read, chosen.tolist())
        if pin:
            read = list(read)
        half = pin and all(rows.dtype == np.float16 for rows in read)
        form = _Form(self.dim, torch.float16 if half else torch.float32, pin)
        frame_rows = self._cut.stored(np.repeat(chosen, frame_counts), frame_rows)
        clip_rows = self._cut.stored(np.repeat(chosen, owned), clip_rows)
        gathers = (_Gather(frame_rows, frame_counts, form), _Gather(clip_rows, owned, form))
        for i, (index, rows) in enumerate(zip(chosen.tolist(), read, strict=True)):
            for gather in gathers:
                if not gather.copy(i, rows):
                    raise InvalidData(
                        f"features of video {self._videos.sources[index]!r} hold NaN or infinity. Extract them again."
                    )
        frames, clip_frames = (gather.values for gather in gathers)
        pictures = None
        if self._pictures:
            whole_videos = self._pictures.shown(chosen, frame_rows, frame_counts)
            pictures = self._pictures.batch(
                whole_videos, self._pictures.shown(np.repeat(chosen, counts), clip_rows, clip_counts)
            )
        return VideoBatch(
            ids=tuple(self.ids[i] for i in chosen),
            frames=Ragged(frames, torch.from_numpy(frame_counts)),
            segments=Ragged(_tensor(self._cut.segments[clips].astype(np.float32), pin), torch.from_numpy(counts)),
            clip_frames=Ragged(clip_frames, torch.from_numpy(clip_counts)),
            durations=_tensor(self._cut.durations[chosen].astype(np.float32), pin),
            pictures=pictures,
        )

    def batches(self, groups: Sequence[Sequence[int]], device: str) -> Iterator[VideoBatch]:
        """Yields one batch on `device` for each group of indices, reading ahead of the consumer.

        An error in the reading thread is raised here, at the batch it belongs to. When the consumer stops early the
        thread ends after the batch it is reading.
        """
        cuda = device.startswith("cuda")
        pending = iter(groups)
        waiting: deque[Future[VideoBatch]] = deque()
        begin = partial(torch.cuda.set_device, device) if cuda else None  # page-locked memory belongs to a device
        pool = ThreadPoolExecutor(1, "bench-reading", begin)
        try:
            waiting.extend(pool.submit(self._batch, group, pin=cuda) for group in islice(pending, READ_AHEAD - 1))
            while waiting:
                batch = waiting.popleft().result()
                waiting.extend(pool.submit(self._batch, group, pin=cuda) for group in islice(pending, 1))
                yield _in_float32(batch.to(device, non_blocking=cuda))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _read(self, index: int) -> np.ndarray:
        """Returns (T, D), the features of a video, with the shape that was promised up front."""
        source = self._videos.sources[index]
        rows = self._features.read(source)
        expected = (int(self._lengths[index]), self.dim)
        if rows.shape != expected:
            raise InvalidData(
                f"features of video {source!r} have shape {rows.shape}, expected {expected}. Extract them again."
            )
        return rows


def _with_own_rows(videos: UncutVideos, features: FeatureSource) -> UncutVideos:
    """Returns the videos with the rows of their segments, where features were made segment by segment.

    Raises: InvalidData where they were made of other segments.
    """
    own_rows = features.segment_rows(videos.sources) if isinstance(features, SegmentedFeatures) else None
    if own_rows is None:
        return videos
    counts, rows = own_rows
    for source, count, times in zip(videos.sources, counts.tolist(), videos.timestamps, strict=True):
        if count != len(times):
            raise InvalidData(
                f"features of video {source!r} were made of {number_of(count, 'segment')}, and it has {len(times)} "
                "here. Extract them for this dataset: `segments:` in bench.yaml."
            )
    return replace(videos, segment_rows=rows)


def _in_float32(batch: VideoBatch) -> VideoBatch:
    """Returns a batch whose features are float32, where it has come."""
    frames, clips = batch.frames, batch.clip_frames
    if frames.values.dtype == torch.float32:
        return batch
    widened = Ragged(frames.values.float(), frames.lengths), Ragged(clips.values.float(), clips.lengths)
    return replace(batch, frames=widened[0], clip_frames=widened[1])


@dataclass(frozen=True)
class _Form:
    """How rows lie in memory: numbers a row, their type, and whether in page-locked memory."""

    dim: int
    kind: torch.dtype
    pin: bool


class _Gather:
    """Rows of several videos on their way into one tensor, copied without a detour."""

    def __init__(self, rows: np.ndarray, counts: np.ndarray, form: _Form) -> None:
        """`rows` are the rows to keep, one video after the other; `counts` (B,) how many of each video."""
        self.values = torch.empty((len(rows), form.dim), dtype=form.kind, pin_memory=form.pin)
        self._numbers = self.values.numpy()
        self._rows = rows
        self._ends = np.cumsum(counts)
        self._counts = counts

    def copy(self, i: int, source: np.ndarray) -> bool:
        """Copies the rows of video `i` from `source` (T, D), float32 or float16; false when one is not finite."""
        end = int(self._ends[i])
        part = slice(end - int(self._counts[i]), end)
        target, rows = self._numbers[part], self._rows[part]
        if source.dtype == target.dtype:
            np.take(source, rows, axis=0, out=target, mode="clip")  # other modes copy twice; no row is out of range
        else:
            step = max(1, SERIAL // target.shape[1])
            for start in range(0, len(rows), step):
                half = torch.from_numpy(source.take(rows[start : start + step], axis=0))
                self.values[part][start : start + step].copy_(half)  # seven times as fast as NumPy
        if target.dtype == np.float16:
            return bool((target.view(np.uint16) & HALF_EXPONENT < HALF_EXPONENT).all())  # NumPy's own way is slow
        return bool(np.isfinite(target).all())


def _tensor(values: np.ndarray, pin: bool) -> torch.Tensor:
    tensor = torch.from_numpy(values)
    return tensor.pin_memory() if pin else tensor
