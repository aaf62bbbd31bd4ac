"""All rows of every video, read once: their digest, and whether they hold numbers that can be used.

What was found is remembered in the user's cache folder (`$XDG_CACHE_HOME/vtbench`, else `~/.cache/vtbench`) with size,
inode and times of the files it was read from, and read again when one of these differs. A change that leaves them all
as they were is not noticed. What cannot be remembered is read again next time.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import InvalidData, SaveError
from bench.files import digest, write_atomically

FORMAT = 1
"""Raised whenever an entry means something else."""
SETTLED_NS = 2 * 10**9
"""A file changed less than 2 s ago could change again under the same time stamp: what it holds is not remembered."""
SAVE_EVERY = 4 * 10**9
"""Bytes read between two times of remembering, so that an interrupted pass over a large source is not lost."""

Stamp = list[list[Any]]
Progress = Callable[[int, int], None]
"""Told how many bytes are read, and how many there are."""


@dataclass(frozen=True)
class RowContent:
    """What the rows of one video are.

    Attributes:
        sha256: of the bytes of all rows, as they are stored.
        unusable: the first row that holds NaN or infinity, or -1.
        zero: whether every number is 0.
    """

    sha256: str
    unusable: int
    zero: bool


@dataclass(frozen=True)
class RowSource:
    """Where the rows of videos are read.

    Attributes:
        key: tells this source from others, such as reader and path.
        rows: a video -> (T, D), all its rows as they are stored.
        files: a video -> the files its rows come from.
        size: a video -> the bytes of its rows.
    """

    key: Sequence[str]
    rows: Callable[[str], np.ndarray]
    files: Callable[[str], Sequence[Path]]
    size: Callable[[str], int]


def stamp(files: Sequence[Path]) -> Stamp:
    """Returns name, size, time of the last change and inode of each file. Raises: InvalidData when one is gone."""
    try:
        states = [(file, file.stat()) for file in files]
    except OSError as error:
        raise InvalidData(f"{error.filename} cannot be looked at any more: {error.strerror}. Put it back.") from error
    return [[str(file), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino] for file, stat in states]


class RowContents:
    """The contents of a source's videos: remembered, or read."""

    def __init__(self, source: RowSource) -> None:
        self._source = source
        self._found: dict[str, RowContent] = {}
        self._stamps: dict[tuple[Path, ...], Stamp] = {}
        self._remembered: dict[str, Any] | None = None

    def of(self, ids: Sequence[str], progress: Progress = lambda done, total: None) -> list[RowContent]:
        """Returns the content of each video; rows that are not known yet are read, one video at a time.

        Raises: DataError for features that cannot be read, or that change meanwhile.
        """
        unread = [video_id for video_id in dict.fromkeys(ids) if not self._known(video_id)]
        sizes = [self._source.size(video_id) for video_id in unread]
        done, saved, total = 0, 0, sum(sizes)
        try:
            for video_id, size in zip(unread, sizes, strict=True):
                self._found[video_id] = content_of(self._source.rows(video_id))
                done += size
                progress(done, total)
                if done - saved > SAVE_EVERY:
                    self._remember()
                    saved = done
            self.check_unchanged()
        finally:
            if unread:
                self._remember()
        return [self._found[video_id] for video_id in ids]

    def check_unchanged(self) -> None:
        """Raises InvalidData when a file is not what it was when its rows were looked at."""
        for files, before in self._stamps.items():
            if stamp(files) != before:
                raise InvalidData(
                    f"{files[0]} or a file beside it was changed while it was read. Wait until it is whole; run again."
                )

    def _known(self, video_id: str) -> bool:
        """True when the rows of a video need not be read; else the state of its files before reading is kept."""
        if video_id in self._found:
            return True
        remembered, current = self._read().get(video_id), _digest(self._stamp(video_id))
        if remembered is None or remembered[0] != current:
            return False
        self._found[video_id] = RowContent(*remembered[1:])
        return True

    def _stamp(self, video_id: str) -> Stamp:
        files = tuple(self._source.files(video_id))
        if files not in self._stamps:
            self._stamps[files] = stamp(files)
        return self._stamps[files]

    @property
    def _path(self) -> Path:
        named = os.environ.get("XDG_CACHE_HOME")
        folder = Path(named) if named else Path("~/.cache").expanduser()  # without a home: a folder that cannot be
        return folder / "vtbench" / "features" / f"{digest([FORMAT, *self._source.key])[:32]}.json"

    def _read(self) -> dict[str, Any]:
        """Returns what is remembered, video -> [stamp, sha256, unusable, zero]; nothing of a broken file."""
        if self._remembered is None:
            self._remembered = _whole(self._path)
        return self._remembered

    def _remember(self) -> None:
        """Adds what was found to what is remembered, by this process and by others meanwhile."""
        kept = _whole(self._path)
        latest = time.time_ns() - SETTLED_NS
        settled = {files: _digest(contents) for files, contents in self._stamps.items() if _changed(contents) <= latest}
        for video_id, content in self._found.items():
            files = tuple(self._source.files(video_id))
            if files in settled:
                kept[video_id] = [settled[files], content.sha256, content.unusable, content.zero]
        text = json.dumps({"sha256": digest(kept), "videos": kept})
        try:
            write_atomically(self._path, text.encode(), durable=False)
        except SaveError:
            return  # a cache: what is not kept is read again
        self._remembered = kept


def content_of(rows: np.ndarray) -> RowContent:
    """Returns what rows (T, D) of floating-point numbers are."""
    stored = np.ascontiguousarray(rows)
    with np.errstate(over="ignore", invalid="ignore"):  # what float32 cannot hold is infinite; a NaN may be signalling
        zero = not stored.any()
        bad = np.flatnonzero(~np.isfinite(stored if stored.itemsize <= 4 else stored.astype(np.float32)).all(axis=1))
    sha256 = hashlib.sha256(memoryview(stored.view(np.uint8).data).cast("B")).hexdigest()
    return RowContent(sha256, int(bad[0]) if bad.size else -1, zero)


def _changed(stamped: Stamp) -> int:
    return max((max(mtime, ctime) for _, _, mtime, ctime, _ in stamped), default=0)


def _digest(stamped: Stamp) -> str:
    return digest(stamped)[:32]


def _whole(path: Path) -> dict[str, Any]:
    """Returns the videos that a cache file remembers; none when it is missing, damaged or foreign."""
    try:
        raw = json.loads(path.read_bytes())
        videos = raw["videos"]
        whole = raw["sha256"] == digest(videos) and all(_is_entry(entry) for entry in videos.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return dict(videos) if whole else {}


def _is_entry(entry: Mapping[str, Any]) -> bool:
    return isinstance(entry, list) and [type(value) for value in entry] == [str, str, int, bool]
