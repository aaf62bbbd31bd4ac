"""Writes feature packs that survive being killed: `<output>.part/` grows video by video, and is renamed when whole.

Rows are appended to rows.bin; every so often the file is flushed to disk, and only then are its new videos entered into
a journal, which is flushed too. Whatever happens, the journal names videos whose rows are on disk. Who goes on cuts
rows.bin to the last video in the journal, compares its checksum, and appends the next. One process packs at a time, and
others that want the same pack wait for it; the lock lies beside the folder, which changes its name.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.data.features.durable import readable, sync_folder
from bench.data.features.growing import JOURNAL, GrowingRows, PackEntry, index_of
from bench.data.features.pack_format import (
    COPIED,
    EXTRACTED,
    HEADER,
    INDEX,
    LITTLE_ENDIAN,
    ROWS,
    Dtype,
    Header,
    Index,
    as_stored,
    pack_digest,
    read_header,
    video_digest,
)
from bench.data.features.pack_sources import Packed, Source
from bench.data.readers.json_files import read_json
from bench.errors import Interrupted, InvalidData, SaveError, TakenOver
from bench.files import digest, remove_leftovers, write_json
from bench.locks import LOCK, Hold, held
from bench.reading.numbers import number_of

PLAN = "plan.json"
UNFINISHED = (JOURNAL, "lock", PLAN)
"""What a pack needs while it is packed, the plan last: where it lies in a pack, clearing away was interrupted."""
UNREADABLE = "unreadable.json"
"""Videos that have no rows, and why; in a pack where there are some."""
COMMIT, COMMIT_SECONDS = 64, 5.0
"""Videos and seconds between two flushes to disk: after a kill at most twice as much is done again."""


@dataclass(frozen=True)
class PackWatcher:
    """Who follows the work.

    Attributes:
        say: told about every line worth keeping.
        progress: told `(done, in all)` after every video: bytes, or videos where bytes are not known beforehand.
        stop_requested: true when the work shall be left in a state to go on from.
    """

    say: Callable[[str], None] = lambda line: None
    progress: Callable[[int, int], None] = lambda done, total: None
    stop_requested: Callable[[], bool] = lambda: False


def pack(source: Source, output: Path, dtype: Dtype, watcher: PackWatcher) -> Header:
    """Returns the header of the pack that it writes to the folder `output`, going on from where it was left.

    A pack of the same features that another process completed meanwhile, or before it was killed, is returned as it is.

    Raises: SaveError when the pack exists or the disk lacks the space; InvalidData for rows that cannot be packed and
    for files that change meanwhile; Interrupted when asked to stop.
    """
    if not (output / PLAN).exists():
        _check_absent(output)
    packing = _Packing(source, output.with_name(f"{output.name}.part"), dtype, watcher)
    while True:
        try:
            return _packed(packing, output)
        except TakenOver as error:
            watcher.say(str(error))


def _packed(packing: _Packing, output: Path) -> Header:
    part, watcher = packing.part, packing.watcher
    try:
        with held(output.with_name(f".{output.name}{LOCK}"), watcher.say, packing.stop_waiting) as hold:
            if header := packing.completed(output):
                return header
            packing.check_space()
            part.mkdir(exist_ok=True)
            remove_leftovers(part)
            header = packing.run(hold)
            sync_folder(part)
            part.rename(output)
            sync_folder(output.parent)
            _clear(output)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SaveError(
            f"cannot write {error.filename or part}: {reason}. What is packed is kept: free space, and the same "
            "command goes on."
        ) from error
    return header


def _clear(output: Path) -> None:
    """Leaves in a whole pack only what belongs to it."""
    for name in UNFINISHED:
        (output / name).unlink(missing_ok=True)


class _Packing:
    """One pack in the making."""

    def __init__(self, source: Source, part: Path, dtype: Dtype, watcher: PackWatcher) -> None:
        self.source, self.part, self.dtype, self.watcher = source, part, dtype, watcher
        self.row_bytes = source.identity.dim * LITTLE_ENDIAN[dtype].itemsize
        lengths = source.lengths
        self.size = None if lengths is None else int(lengths.sum()) * self.row_bytes
        steps = np.ones(len(source.ids), dtype=np.int64) if lengths is None else lengths * self.row_bytes
        self.reached: list[int] = [0, *np.cumsum(steps).tolist()]
        self.same = False  # whether what another process packs is what is asked for here

    def stop_waiting(self) -> bool:
        """Looks, while another process packs, at what it packs; returns whether to give up waiting."""
        self.same = self.same or self.is_plan_in(self.part)
        return self.watcher.stop_requested()

    def is_plan_in(self, folder: Path) -> bool:
        before = _read_plan(folder / PLAN) if (folder / PLAN).exists() else None
        return before is not None and before == self.plan(before)

    def completed(self, output: Path) -> Header | None:
        """Returns the header of a pack that another process completed; None where there is none yet.

        Raises: SaveError for a pack of something else.
        """
        if not output.exists():
            return None
        same = self.same or self.is_plan_in(output)
        _clear(output)
        if not same:
            _check_absent(output)
        self.watcher.say(f"{output}: completed by another process, reusing it")
        return read_header(output)

    def check_space(self) -> None:
        """Says how large the pack will be. Raises: SaveError when the disk has not so much space left."""
        if self.size is None or self.source.lengths is None:
            return
        source, count = self.source, len(self.source.ids)
        folder = next(folder for folder in self.part.parents if folder.exists())
        free = shutil.disk_usage(folder).free
        self.watcher.say(
            f"{source.name}: {number_of(count, 'video')}, {number_of(int(self.source.lengths.sum()), 'row')} of "
            f"{source.identity.dim} {self.dtype}: {readable(self.size)}; {readable(free)} free in {folder}"
        )
        rows = self.part / ROWS
        lacking = self.size + 200 * count - (rows.stat().st_size if rows.exists() else 0) - free
        if lacking > 0:
            raise SaveError(
                f"{source.name} needs {readable(self.size)}, of which {readable(lacking)} more than {folder} has free. "
                "Free space, choose another --output, or pack as float16."
            )

    def run(self, hold: Hold) -> Header:
        """Packs what is not packed yet, and describes it in index and header. Raises: TakenOver."""
        begun = self.begin()
        count, growing = len(self.source.ids), GrowingRows(self.part, self.row_bytes)
        entries = growing.resume(count)
        if entries:
            self.watcher.say(f"{self.source.name}: going on after {len(entries):,} packed videos")
        self.watcher.progress(self.reached[len(entries)], self.reached[-1])
        with growing, closing(self.source.videos(len(entries))) as videos:
            pending: list[PackEntry] = []
            at = time.monotonic()
            while len(entries) + len(pending) < count and not self.watcher.stop_requested():
                place = len(entries) + len(pending)
                video = next(videos)
                hold.check()  # two that wrote into one file would spoil it
                pending.append(self.append(growing, self.source.ids[place], video))
                self.watcher.progress(self.reached[place + 1], self.reached[-1])
                due = len(pending) >= COMMIT or time.monotonic() - at > COMMIT_SECONDS or place + 1 == count
                if due and (len(pending) % self.source.group == 0 or place + 1 == count):
                    growing.commit(pending)
                    entries += pending
                    pending, at = [], time.monotonic()
            whole = pending[: len(pending) // self.source.group * self.source.group]
            growing.commit(whole)
            entries += whole
        if len(entries) < count:
            raise Interrupted(
                f"{self.source.doing} stopped: {len(entries):,} of {number_of(count, 'video')} are in {self.part}. The "
                "same command goes on from there; delete the folder to give up."
            )
        if self.plan(begun) != begun:
            raise self.changed(begun)
        hold.check()
        self.report({video_id: one.error for video_id, one in zip(self.source.ids, entries, strict=True) if one.error})
        return self.publish(index_of(self.source.ids, entries))

    def begin(self) -> dict[str, Any]:
        """Returns the plan of the pack. Raises: InvalidData when other content was begun here before."""
        path = self.part / PLAN
        if not path.exists():
            plan = self.plan({})
            write_json(path, plan)
            return plan
        before = _read_plan(path)
        if before["dtype"] != self.dtype:
            raise InvalidData(
                f"{self.part} was begun as {before['dtype']}, not {self.dtype}. Go on with --dtype "
                f"{before['dtype']}, or delete the folder."
            )
        if before != self.plan(before):
            raise self.changed(before)
        return before

    def plan(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Returns what is packed, as the plan beside an unfinished pack says it."""
        identity = self.source.identity
        lengths = self.source.lengths
        return {
            "features": [identity.extractor, identity.dim, identity.stride, identity.kind],
            "dtype": self.dtype,
            "videos": digest([self.source.ids, None if lengths is None else lengths.tolist()]),
            "source": self.source.fingerprint(before.get("source", {})),
        }

    def changed(self, before: Mapping[str, Any]) -> InvalidData:
        """Returns the error for a source that is not what it was when packing began."""
        now = self.plan(before)
        old, new = ({**plan, **plan["source"]} for plan in (before, now))
        what = ", ".join(sorted(key for key in new if key != "source" and old.get(key) != new[key]))
        return InvalidData(
            f"{self.source.source} has changed since {self.source.doing} began ({what}). Delete {self.part} and run "
            "the command again."
        )

    def append(self, growing: GrowingRows, video_id: str, video: Packed) -> PackEntry:
        """Writes the rows of one video and returns its entry. Raises: InvalidData for rows that cannot be packed."""
        if video.rows is None:
            return PackEntry(error=video.error)
        values = as_stored(self.source.name, video_id, video.rows, self.dtype)
        growing.append(values)
        return PackEntry(len(values), video_digest(values), video.frames)

    def report(self, unreadable: Mapping[str, str]) -> None:
        """Writes which videos have no rows. Raises: InvalidData where none has."""
        if len(unreadable) == len(self.source.ids):
            raise InvalidData(
                f"{self.source.name}: none of {number_of(len(unreadable), 'video')} can be read, the first because "
                f"{next(iter(unreadable.values()))} To try again, delete {self.part}."
            )
        if unreadable:
            write_json(self.part / UNREADABLE, dict(unreadable))

    def publish(self, index: Index) -> Header:
        """Writes index and header."""
        identity, made = self.source.identity, self.source.made
        header = Header(
            format=COPIED if made is None else EXTRACTED,
            extractor=identity.extractor,
            dim=identity.dim,
            dtype=self.dtype,
            stride=identity.stride,
            kind=identity.kind,
            source=self.source.source,
            videos=len(index.ids),
            rows=int(index.lengths.sum()),
            digest="0" * 64,
            made=made,
        )
        header = header.model_copy(update={"digest": pack_digest(header, index)})
        index.save(self.part / INDEX)
        write_json(self.part / HEADER, header.model_dump(exclude_none=True))
        return header


def _read_plan(path: Path) -> dict[str, Any]:
    """Returns the plan of an unfinished pack. Raises: InvalidData for anything else."""
    plan = read_json(path, f"the plan of {path.parent}")
    if isinstance(plan, dict) and plan.get("dtype") in LITTLE_ENDIAN and isinstance(plan.get("source"), dict):
        return plan
    raise InvalidData(f"{path} is no plan of a pack. Delete {path.parent} and run the command again.")


def _check_absent(output: Path) -> None:
    if output.exists() or output.is_symlink():
        raise SaveError(f"{output} exists and is never overwritten. Choose another --output, or delete it first.")
