"""The rows of an unfinished pack and its journal: a line of JSON for each video that has its rows on disk, or none.

Lines are written after the rows that they tell of; a line without its end was cut off by a kill and does not count.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.data.features.durable import appending, flush, write_all
from bench.data.features.pack_format import ROWS, FramesTaken, Index, video_digest
from bench.errors import InvalidData

JOURNAL = "journal"
SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class FramesOfRows:
    """The frames that the rows of one video were made from.

    Attributes:
        sha256: of their pixels.
        base: numerator and denominator of the time base, in seconds.
        times: when each is shown, in that unit.
        segments: rows of each segment that was sampled by itself; () for a video sampled as a whole.
    """

    sha256: str
    base: tuple[int, int]
    times: np.ndarray
    segments: tuple[int, ...] = ()


@dataclass(frozen=True)
class PackEntry:
    """One video: its rows and their SHA-256, or why it has none."""

    rows: int = 0
    sha256: str = ""
    frames: FramesOfRows | None = None
    error: str = ""

    def line(self) -> str:
        """Returns the entry as a line of the journal."""
        told: dict[str, object] = {"error": self.error} if self.error else {"rows": self.rows, "sha256": self.sha256}
        if self.frames is not None:
            told["frames"] = [self.frames.sha256, *self.frames.base, *self.frames.times.tolist()]
            told["segments"] = self.frames.segments
        return json.dumps(told, separators=(",", ":")) + "\n"

    @classmethod
    def of(cls, line: bytes) -> PackEntry:
        """Returns what `line` says. Raises: ValueError, KeyError or TypeError for anything else."""
        told = json.loads(line)
        if "error" in told:
            return cls(error=str(told["error"]))
        frames = None
        if "frames" in told:
            sha256, numerator, denominator, *times = told["frames"]
            base, segments = (int(numerator), int(denominator)), tuple(map(int, told["segments"]))
            frames = FramesOfRows(_checked(sha256), base, np.array(times, dtype=np.int64), segments)
        if not (isinstance(told["rows"], int) and told["rows"] > 0):
            raise ValueError(f"{told['rows']!r} rows")
        return cls(told["rows"], _checked(told["sha256"]), frames)


def _checked(sha256: str) -> str:
    if not SHA256.fullmatch(sha256):
        raise ValueError("no SHA-256")
    return sha256


class GrowingRows:
    """The rows and the journal of an unfinished pack; inside `with` they can be added to."""

    def __init__(self, part: Path, row_bytes: int) -> None:
        self._part, self._row_bytes = part, row_bytes
        self._files = ExitStack()
        self._flushed: Future[None] | None = None

    def resume(self, most: int) -> list[PackEntry]:
        """Returns the videos that are packed, `most` at most; whatever was written beyond them is cut off.

        Raises: InvalidData when the journal or the last video in it is not as it was written.
        """
        rows, journal = self._part / ROWS, self._part / JOURNAL
        rows.touch()
        journal.touch()
        try:
            entries = _read_journal(journal)
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged() from error
        end = sum(entry.rows for entry in entries) * self._row_bytes
        if len(entries) > most or rows.stat().st_size < end:
            raise self._damaged()
        os.truncate(rows, end)
        last = next((entry for entry in reversed(entries) if entry.rows), None)
        if last:
            written = np.fromfile(rows, dtype=np.uint8, offset=end - last.rows * self._row_bytes)
            if video_digest(written) != last.sha256:
                raise self._damaged()
        return entries

    def _damaged(self) -> InvalidData:
        return InvalidData(
            f"{self._part} is damaged: its journal and {ROWS} disagree. Delete it and run the command again."
        )

    def __enter__(self) -> GrowingRows:
        self._rows = self._files.enter_context(appending(self._part / ROWS))
        self._journal = self._files.enter_context(appending(self._part / JOURNAL))
        self._pool = self._files.enter_context(ThreadPoolExecutor(1, thread_name_prefix="bench-flushing"))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._files:
            if self._flushed and kind is None:
                self._flushed.result()

    def append(self, values: np.ndarray) -> None:
        """Writes the rows (T, D) of one video."""
        write_all(self._rows, memoryview(values.data).cast("B"))

    def commit(self, entries: Sequence[PackEntry]) -> None:
        """Brings all rows to disk, then the entries that tell of them; the disk works while the next are made."""
        if self._flushed:
            self._flushed.result()
        lines = [entry.line() for entry in entries]
        self._flushed = self._pool.submit(flush, self._rows, self._journal, lines)


def _read_journal(path: Path) -> list[PackEntry]:
    """Returns the entries of a journal, after cutting off a line without its end.

    Raises: ValueError, KeyError or TypeError for a line that no packer wrote.
    """
    entries, whole = [], 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            entries.append(PackEntry.of(line))
            whole += len(line)
    os.truncate(path, whole)
    return entries


def index_of(ids: Sequence[str], entries: Sequence[PackEntry]) -> Index:
    """Returns the index of a pack of all videos that have rows, in the order of `ids`."""
    packed = [(video_id, entry) for video_id, entry in zip(ids, entries, strict=True) if entry.rows]
    frames = [entry.frames for _, entry in packed if entry.frames is not None]
    taken = None
    if frames:
        taken = FramesTaken(
            counts=np.array([len(one.times) for one in frames], dtype=np.int64),
            times=np.concatenate([one.times for one in frames]),
            bases=np.array([one.base for one in frames], dtype=np.int64),
            sha256=tuple(one.sha256 for one in frames),
            segments=np.array([len(one.segments) for one in frames], dtype=np.int64),
            segment_rows=np.array([rows for one in frames for rows in one.segments], dtype=np.int64),
        )
    return Index(
        ids=tuple(video_id for video_id, _ in packed),
        lengths=np.array([entry.rows for _, entry in packed], dtype=np.int64),
        sha256=tuple(entry.sha256 for _, entry in packed),
        taken=taken,
    )
