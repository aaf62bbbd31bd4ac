"""The frames that a pack's rows were made from, decoded again from the videos and compared with what the pack says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bench.data.cutting import UncutVideos
from bench.data.declared import FeatureDeclaration
from bench.data.features.pack import PackedFeatures
from bench.data.video_folders import videos_in
from bench.errors import BenchError, InvalidData, MissingData, UnsupportedTask
from bench.execution import cores
from bench.files import digest
from bench.models.pictures import FramesShown
from bench.reading.numbers import number_of
from bench.video import Decoded, FrameRequest, Sampler, Span, Workers

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

T = TypeVar("T")
LARGEST = 64 << 20
"""Bytes of a video that is handed over whole."""


def check_pictured(dataset: Dataset, model: str) -> None:
    """Raises UnsupportedTask where a model that looks at frames is given features that bench did not make of them."""
    declaration = dataset.declaration.features
    if declaration.videos is None or Sampler.parse(declaration.videos.sampler).windows:
        raise UnsupportedTask(
            f"model {model!r} looks at frames, and features {declaration.name!r} of dataset {dataset.name!r} were not "
            "made of single frames by bench. Declare features: {NAME: {videos: FOLDER, encoder: thumbnails, sampler: "
            f"frames=8}}}} in bench.yaml, write features: NAME for {dataset.name!r}, and `bench features extract NAME`."
        )


class VideosInPictures:
    """The videos of a split as pictures, by their places in it."""

    def __init__(self, videos: UncutVideos, features: PackedFeatures, declaration: FeatureDeclaration) -> None:
        """Opens no video. Raises: DataError for a folder that cannot be read, or lacks videos."""
        assert declaration.videos is not None  # noqa: S101 (`check_pictured`)
        made = declaration.videos
        files = videos_in(made.folder, made.pattern)
        if lacking := [video_id for video_id in videos.sources if video_id not in files]:
            raise MissingData(
                f"{made.folder} lacks {number_of(len(lacking), 'video')} whose features are there, such as "
                f"{lacking[0]!r}. A model that looks at frames needs the videos themselves."
            )
        self._paths = tuple(files[video_id] for video_id in videos.sources)
        self._taken = tuple(features.frames_sha256(video_id) for video_id in videos.sources)
        self._sampler, self._backend = Sampler.parse(made.sampler), made.backend
        self._spans: tuple[tuple[Span | None, ...], ...] = tuple(
            tuple((float(start), float(end)) for start, end in times) if made.segments else (None,)
            for times in videos.timestamps
        )

    def batch(self, whole: tuple[FramesShown, ...], clips: tuple[FramesShown, ...]) -> BatchInPictures:
        """Returns the pictures of a batch of videos and clips."""
        return BatchInPictures(self, whole, clips)

    def shown(self, videos: np.ndarray, rows: np.ndarray, counts: np.ndarray) -> tuple[FramesShown, ...]:
        """Returns the frames of n parts of videos.

        Args:
            videos: (n,) int64, the place of the video that each part is of.
            rows: (sum of counts,) int64, the rows of all parts, one part after the other.
            counts: (n,) int64.
        """
        parts = np.split(rows, np.cumsum(counts)[:-1]) if len(counts) else []
        return tuple(
            self._shown(video, tuple(part.tolist())) for video, part in zip(videos.tolist(), parts, strict=True)
        )

    def _shown(self, video: int, rows: tuple[int, ...]) -> FramesShown:
        return FramesShown(video, rows, digest([self._taken[video], self._sampler.words, self._spans[video], rows]))

    def read(self, wanted: Sequence[FramesShown], keep: Callable[[np.ndarray], T]) -> Iterator[tuple[T, ...]]:
        """Yields what `keep` makes of the frames of each of `wanted`; what follows of one video is decoded once."""
        groups = [(video, list(shown)) for video, shown in groupby(wanted, key=lambda shown: shown.video)]
        requests = (
            FrameRequest(self._paths[video], self._sampler, self._spans[video], self._backend) for video, _ in groups
        )
        with Workers(max(1, min(cores(), len(groups)))) as workers:
            for (video, shown), decoded in zip(groups, workers.decode(requests, keep), strict=True):
                if isinstance(decoded, BenchError):
                    raise decoded
                frames = self._checked(video, decoded)
                for one in shown:
                    yield tuple(frames[row] for row in one.rows)

    def _checked(self, video: int, decoded: Decoded[T]) -> list[T]:
        """Returns what was kept of the frame of each row. Raises: InvalidData for other frames than the pack's."""
        if decoded.sha256 != self._taken[video]:
            raise InvalidData(
                f"{self._paths[video]} shows other frames than its features were made of. Extract them again."
            )
        return [decoded.frames[place] for span in decoded.rows for place in span.tolist()]

    def file(self, video: int) -> bytes:
        """Returns a whole video file. Raises: MissingData; InvalidData for one that is too large."""
        path: Path = self._paths[video]
        try:
            if path.stat().st_size > LARGEST:
                raise InvalidData(f"{path} has more than {LARGEST >> 20} MB. Send its frames, or write it smaller.")
            return path.read_bytes()
        except OSError as error:
            raise MissingData(f"{path} cannot be read: {error.strerror}.") from None


@dataclass(frozen=True)
class BatchInPictures:
    """The pictures of a batch (`bench.models.pictures.Pictures`)."""

    videos: VideosInPictures
    whole: tuple[FramesShown, ...]
    clips: tuple[FramesShown, ...]

    def read(self, wanted: Sequence[FramesShown], keep: Callable[[np.ndarray], T]) -> Iterator[tuple[T, ...]]:
        """Yields what `keep` makes of the frames of each of `wanted`."""
        return self.videos.read(wanted, keep)

    def file(self, video: int) -> bytes:
        """Returns a whole video file."""
        return self.videos.file(video)


def pictures_of(dataset: Dataset, videos: UncutVideos) -> VideosInPictures:
    """Returns the videos of a split as pictures. Raises: DataError."""
    assert isinstance(dataset.features, PackedFeatures)  # noqa: S101 (features made from videos lie in a pack)
    return VideosInPictures(videos, dataset.features, dataset.declaration.features)
