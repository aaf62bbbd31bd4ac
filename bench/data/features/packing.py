"""Writes feature packs that survive being killed: `<output>.part/` grows video by video, and is renamed when whole.

Rows are appended to rows.bin; every 64 videos the file is flushed to disk, and only then are these videos entered into
a journal, which is flushed too. Whatever happens, the journal names videos whose rows are on disk. Who goes on cuts
rows.bin to the last video in the journal, compares its checksum, and appends the next. One process packs at a time, and
others that want the same pack wait for it; the lock lies beside the folder, which changes its name.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.data.features.durable import appending, flush, readable, sync_folder, write_all
from bench.data.features.pack import (
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
from bench.data.features.pack_sources import Contents
from bench.data.readers.json_files import read_json
from bench.errors import Interrupted, InvalidData, SaveError
from bench.files import digest, remove_leftovers, write_json
from bench.locks import LOCK, held

JOURNAL, PLAN = "journal", "plan.json"
UNFINISHED = (JOURNAL, "lock", PLAN)
"""What a pack needs while it is packed, the plan last: where it lies in a pack, clearing away was interrupted."""
COMMIT = 64
"""Videos between two flushes to disk: after a kill at most twice as many are packed again."""


@dataclass(frozen=True)
class Watcher:
    """Who follows the work.

    Attributes:
        say: told about every line worth keeping.
        progress: told `(bytes done, bytes in all)` after every video.
        stop_requested: true when the work shall be left in a state to go on from.
    """

    say: Callable[[str], None] = lambda line: None
    progress: Callable[[int, int], None] = lambda done, total: None
    stop_requested: Callable[[], bool] = lambda: False


def pack(contents: Contents, output: Path, dtype: Dtype, watcher: Watcher) -> Header:
    """Returns the header of the pack that it writes to the folder `output`, going on from where it was left.

    A pack of the same features that another process completed meanwhile, or before it was killed, is returned as it is.

    Raises: SaveError when the pack exists or the disk lacks the space; InvalidData for rows that cannot be packed and
    for files that change meanwhile; Interrupted when asked to stop.
    """
    if not (output / PLAN).exists():
        _check_absent(output)
    part = output.with_name(f"{output.name}.part")
    lengths = contents.features.lengths(contents.ids)
    packing = _Packing(contents, part, dtype, lengths, watcher)
    try:
        with held(output.with_name(f".{output.name}{LOCK}"), watcher.say, packing.stop_waiting):
            if header := packing.completed(output):
                return header
            packing.check_space()
            part.mkdir(exist_ok=True)
            remove_leftovers(part)
            header = packing.run()
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

    def __init__(self, contents: Contents, part: Path, dtype: Dtype, lengths: np.ndarray, watcher: Watcher) -> None:
        self.contents, self.part, self.dtype, self.lengths, self.watcher = contents, part, dtype, lengths, watcher
        self.row_bytes = contents.features.dim * LITTLE_ENDIAN[dtype].itemsize
        self.ends: list[int] = (np.cumsum(lengths) * self.row_bytes).tolist()
        self.digests: list[str] = []
        self.same = False  # whether what another process packs is what is asked for here

    def stop_waiting(self) -> bool:
        """Looks, while another process packs, at what it packs; returns whether to give up waiting."""
        self.same = self.same or self.is_plan_in(self.part)
        return self.watcher.stop_requested()

    def is_plan_in(self, folder: Path) -> bool:
        path = folder / PLAN
        return path.exists() and read_json(path, f"the plan of {folder}") == self.plan(self.contents.fingerprint())

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
        contents, size = self.contents, self.ends[-1]
        folder = next(folder for folder in self.part.parents if folder.exists())
        free = shutil.disk_usage(folder).free
        self.watcher.say(
            f"{contents.name}: {len(contents.ids):,} videos, {int(self.lengths.sum()):,} rows of "
            f"{contents.features.dim} {self.dtype}: {readable(size)}; {readable(free)} free in {folder}"
        )
        if contents.missing:
            self.watcher.say(f"{contents.name}: {contents.missing:,} videos without features are left out")
        rows = self.part / ROWS
        lacking = size + 200 * len(contents.ids) - (rows.stat().st_size if rows.exists() else 0) - free
        if lacking > 0:
            raise SaveError(
                f"{contents.name} needs {readable(size)}, of which {readable(lacking)} more than {folder} has free. "
                "Free space, choose another --output, or pack as float16."
            )

    def run(self) -> Header:
        """Packs what is not packed yet, and describes it in index and header."""
        fingerprint = self.begin()
        done = self.resume()
        total = self.ends[-1]
        self.watcher.progress(self.ends[done - 1] if done else 0, total)
        with (
            appending(self.part / ROWS) as rows,
            appending(self.part / JOURNAL) as journal,
            ThreadPoolExecutor(1, thread_name_prefix="bench-flushing") as pool,
        ):
            flushed: Future[None] | None = None
            while done < len(self.contents.ids):
                last = min(done + COMMIT, len(self.contents.ids))
                lines = []
                for place in range(done, last):
                    if self.watcher.stop_requested():
                        break
                    lines.append(self.append(place, rows))
                    self.watcher.progress(self.ends[place], total)
                if flushed:
                    flushed.result()
                flushed = pool.submit(flush, rows, journal, lines)  # the disk works while the next videos are read
                done += len(lines)
                if done < last:
                    flushed.result()
                    raise Interrupted(
                        f"packed {done:,} of {len(self.contents.ids):,} videos into {self.part}. The same command goes "
                        "on from there; delete the folder to give up."
                    )
            if flushed:
                flushed.result()
        if self.contents.fingerprint() != fingerprint:
            raise self.changed()
        return self.publish()

    def begin(self) -> str:
        """Returns the fingerprint of the source. Raises: InvalidData when other content was begun here before."""
        fingerprint = self.contents.fingerprint()
        plan = self.plan(fingerprint)
        path = self.part / PLAN
        if not path.exists():
            write_json(path, plan)
            return fingerprint
        before = read_json(path, f"the plan of {self.part}")
        if not isinstance(before, dict) or before.get("dtype") not in LITTLE_ENDIAN:
            raise InvalidData(f"{path} is no plan of a pack. Delete {self.part} and pack again.")
        if before["dtype"] != self.dtype:
            raise InvalidData(
                f"{self.part} was begun as {before['dtype']}, not {self.dtype}. Go on with --dtype "
                f"{before['dtype']}, or delete the folder."
            )
        if before != plan:
            raise self.changed()
        return fingerprint

    def plan(self, fingerprint: str) -> dict[str, Any]:
        """Returns what is packed, as the plan beside an unfinished pack says it."""
        identity = self.contents.identity
        return {
            "features": [identity.extractor, identity.dim, identity.stride, identity.kind],
            "dtype": self.dtype,
            "videos": digest([self.contents.ids, self.lengths.tolist()]),
            "source": fingerprint,
        }

    def changed(self) -> InvalidData:
        """Returns the error for a source that is not what it was when packing began."""
        where = self.contents.path or self.contents.name
        return InvalidData(f"{where} has changed since packing began. Delete {self.part} and pack again.")

    def resume(self) -> int:
        """Returns how many videos are packed; whatever was written beyond them is cut off.

        Raises: InvalidData when the journal or the last video in it is not as it was written.
        """
        rows, journal = self.part / ROWS, self.part / JOURNAL
        rows.touch()
        journal.touch()
        content = journal.read_text(encoding="ascii", errors="replace")
        whole = content[: content.rfind("\n") + 1]
        self.digests = whole.split()
        done = len(self.digests)
        end = self.ends[done - 1] if 0 < done <= len(self.ends) else 0
        sound = done <= len(self.ends) and all(re.fullmatch("[0-9a-f]{64}", line) for line in self.digests)
        if not sound or rows.stat().st_size < end:
            raise self.damaged()
        os.truncate(journal, len(whole))
        os.truncate(rows, end)
        if done:
            last = np.fromfile(rows, dtype=np.uint8, offset=end - int(self.lengths[done - 1]) * self.row_bytes)
            if video_digest(last) != self.digests[-1]:
                raise self.damaged()
            self.watcher.say(f"{self.contents.name}: going on after {done:,} packed videos")
        return done

    def damaged(self) -> InvalidData:
        """Returns the error for an unfinished pack that cannot be gone on with."""
        return InvalidData(f"{self.part} is damaged: its journal and {ROWS} disagree. Delete it and pack again.")

    def append(self, place: int, rows: int) -> str:
        """Writes one video to the file descriptor `rows` and returns its line in the journal."""
        video_id = self.contents.ids[place]
        values = self.contents.features.read(video_id)
        expected = (int(self.lengths[place]), self.contents.features.dim)
        if values.shape != expected:
            raise InvalidData(
                f"{self.contents.name}: video {video_id!r} has shape {values.shape}, expected {expected}. The source "
                f"has changed: delete {self.part} and pack again."
            )
        converted = as_stored(self.contents.name, video_id, values, self.dtype)
        self.digests.append(video_digest(converted))
        write_all(rows, memoryview(converted.data).cast("B"))
        return f"{self.digests[-1]}\n"

    def publish(self) -> Header:
        """Writes index and header."""
        identity = self.contents.identity
        index = Index(self.contents.ids, self.lengths, tuple(self.digests))
        header = Header(
            extractor=identity.extractor,
            dim=identity.dim,
            dtype=self.dtype,
            stride=identity.stride,
            kind=identity.kind,
            source=self.contents.source,
            videos=len(index.ids),
            rows=int(self.lengths.sum()),
            digest="0" * 64,
        )
        header = header.model_copy(update={"digest": pack_digest(header, index)})
        index.save(self.part / INDEX)
        write_json(self.part / HEADER, header.model_dump())
        return header


def _check_absent(output: Path) -> None:
    if output.exists() or output.is_symlink():
        raise SaveError(f"{output} exists and is never overwritten. Choose another --output, or delete it first.")
