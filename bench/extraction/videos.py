"""Videos as what a pack is made from: decoded in processes of their own, encoded in batches, in the order of ids.

Rounding depends on what is encoded together, so batches are made within groups of as many videos as a batch holds rows:
who goes on begins with the first video of a group, and makes the batches that an undisturbed run makes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.data.declared import FeatureIdentity
from bench.data.features.growing import FramesOfRows
from bench.data.features.pack_format import Made
from bench.data.features.pack_sources import Packed
from bench.errors import BenchError, DataError
from bench.extraction.encoding import Encoding, encoding_threads
from bench.files import digest, slug
from bench.video import Decoded, FrameRequest, Sampler, Span, Workers


@dataclass(frozen=True)
class Recipe:
    """How rows are made, decided before the first video is opened.

    Attributes:
        made: what is said of it; of `computed` the device alone, before threads and the size of batches are known.
        sampler: which frames are taken.
        backend: what decodes.
        device: where the encoder computes.
        jobs: videos that are decoded at the same time.
        batch: rows that are made together; None to measure which size is best.
        threads: that encode on a CPU beside those that decode; None on a GPU.
    """

    made: Made
    sampler: Sampler
    backend: str
    device: str
    jobs: int
    batch: int | None = None
    threads: int | None = None


@dataclass
class _Video:
    """A video on its way: what is known of it, and as many of its rows as are made."""

    frames: FramesOfRows | None = None
    rows: np.ndarray | None = None
    left: int = 0
    error: str = ""


@dataclass
class VideosInFolder:
    """The videos of a folder (`bench.data.features.pack_sources.Source`).

    Attributes:
        name: the features' key in bench.yaml.
        paths: (n,) file of each video, in the order of ids.
        spans: (n,) the segments of each video that are sampled one by one, in seconds; None to sample whole videos.
        source: the folder's name.
    """

    name: str
    ids: tuple[str, ...]
    paths: tuple[Path, ...]
    source: str
    encoding: Encoding
    recipe: Recipe
    spans: Sequence[tuple[Span, ...]] | None = None
    _batch: int | None = field(default=None, init=False)
    _threads: int | None = field(default=None, init=False)

    doing = "extracting"
    lengths = None

    @property
    def identity(self) -> FeatureIdentity:
        made = self.recipe.made
        extractor = slug(made.encoder)[:64]
        return FeatureIdentity(extractor, self.encoding.dim, made.sampler, "", "real", made.words())

    @property
    def group(self) -> int:
        return self._batch or 1

    @property
    def made(self) -> Made:
        on = "" if self._threads is None else f", {self._threads} thread{'s' * (self._threads > 1)}"
        computed = f"{self.recipe.made.computed}{on}, batches of {self._batch}"
        return self.recipe.made.model_copy(update={"computed": computed})

    def fingerprint(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Returns what makes the rows, and a digest of all files by size, time and inode.

        The size of batches is the one that was asked for, else the one that was begun with, else measured; threads are
        those that were begun with, whatever the machine has now.
        """
        threads = before.get("threads")
        self._threads = threads if isinstance(threads, int) and threads > 0 else self.recipe.threads
        begun = before.get("batch")
        self._batch = self.recipe.batch or (begun if isinstance(begun, int) else None) or self._batch
        if self._batch is None:
            with encoding_threads(self._threads):
                self._batch = self.encoding.best_batch(self.recipe.device)
        files = [[video_id, *_stat(path)] for video_id, path in zip(self.ids, self.paths, strict=True)]
        rounding = {"threads": self._threads, "batch": self._batch}
        return {**self.recipe.made.words(), **rounding, "files": digest([files, self.spans])}

    def _requests(self, done: int) -> Iterator[FrameRequest]:
        for place in range(done, len(self.paths)):
            spans = (None,) if self.spans is None else self.spans[place]
            yield FrameRequest(self.paths[place], self.recipe.sampler, spans, self.recipe.backend)

    def videos(self, done: int) -> Generator[Packed, None, None]:
        """Yields every video from position `done` on, which begins a group.

        Raises: ModelError for an encoder that fails; ToolError where decoding as such fails.
        """
        with encoding_threads(self._threads), Workers(self.recipe.jobs) as workers:
            answers = workers.decode(self._requests(done), self.encoding.keep)
            for start in range(done, len(self.ids), self.group):
                yield from self._encoded(answers, min(self.group, len(self.ids) - start))

    def _encoded(self, answers: Iterator[Decoded[Any] | BenchError], count: int) -> Iterator[Packed]:
        """Yields the next `count` videos, whose rows are made in batches of their own."""
        videos: deque[_Video] = deque()
        waiting: list[tuple[_Video, Any]] = []
        for _ in range(count):
            video, inputs = self._opened(next(answers))
            videos.append(video)
            waiting += [(video, one) for one in inputs]
            while len(waiting) >= self.group:
                self._encode(waiting[: self.group])
                waiting = waiting[self.group :]
            while videos and not videos[0].left:
                yield _packed(videos.popleft())
        if waiting:
            self._encode(waiting)
        yield from map(_packed, videos)

    def _opened(self, answer: Decoded[Any] | BenchError) -> tuple[_Video, Sequence[Any]]:
        """Returns a video with the inputs of its rows; a video that cannot be read is told, and costs no other one."""
        if isinstance(answer, DataError):
            return _Video(error=str(answer)), ()
        if isinstance(answer, BenchError):
            raise answer
        inputs = self.encoding.inputs(answer)
        base = answer.time_base
        segments = () if self.spans is None else self.encoding.counts(answer)
        frames = FramesOfRows(answer.sha256, (base.numerator, base.denominator), answer.times - answer.zero, segments)
        rows = np.empty((len(inputs), self.encoding.dim), dtype=np.float32)
        return _Video(frames, rows, len(inputs)), inputs

    def _encode(self, batch: Sequence[tuple[_Video, Any]]) -> None:
        for (video, _), row in zip(batch, self.encoding.rows([one for _, one in batch]), strict=True):
            assert video.rows is not None  # noqa: S101 (it has inputs)
            video.rows[len(video.rows) - video.left] = row
            video.left -= 1


def _packed(video: _Video) -> Packed:
    return Packed(video.rows, video.frames, video.error)


def _stat(path: Path) -> list[int]:
    """Returns what changes when a file is replaced or written to; nothing for one that is not there."""
    try:
        stat = path.stat()
    except OSError:
        return []
    return [stat.st_size, stat.st_mtime_ns, stat.st_ino]
