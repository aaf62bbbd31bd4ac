"""Finds and reads records, and says of every file that cannot stand on a board why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError, InvalidData, UsageError
from bench.evidence.verified import Verified, read_record
from bench.leaderboard.checks import Check, Status, check_path, predictions_path, read_check
from bench.reading.outside import one_line, regular_file
from bench.results import Evidence, Result

LARGEST = 1 << 20
"""Bytes of a record: a real one has some thousand. A larger file is refused before it is read."""
LONGEST = 600
"""Characters of a reason: what a file holds may be quoted in it."""
COMPANIONS = (".check.json",)


@dataclass(frozen=True)
class Note:
    """A file that is not ranked, with the reason; `file` is relative to the folder it was found in."""

    file: str
    reason: str


@dataclass(frozen=True)
class Entry:
    """A record of a board.

    Attributes:
        record: its numbers follow from its evidence.
        file: where it was found, relative to the results folder.
        check: what was done here to trust it, or None.
    """

    record: Verified
    file: str
    check: Check | None = None

    @property
    def path(self) -> Path:
        return self.record.path

    @property
    def result(self) -> Result:
        return self.record.result

    @property
    def evidence(self) -> Evidence:
        return self.record.evidence

    @property
    def signature(self) -> dict[str, str]:
        return self.record.signature

    @property
    def status(self) -> Status:
        return "consistent" if self.check is None else self.check.status

    @property
    def partial(self) -> bool:
        """True when not all videos were evaluated, whatever the record calls itself."""
        data = self.result.data
        return self.result.status != "complete" or data.n_evaluated != data.n_expected


ReadRecords = tuple[list[Entry], list[Note]]
"""The records below some folders, and why other files that look like one are left out."""


def read(folders: Sequence[Path], metrics: Sequence[str] = ()) -> ReadRecords:
    """Returns the readable records below `folders` and, for every other file that looks like one, why it is left out.

    A record is any `result.json`, and any `<task>/<model>--<run>.json` as `bench leaderboard add` stores them.

    Args:
        metrics: measurements beyond those of the records, of which those that follow from their evidence are added.

    Raises: UsageError when a folder does not exist.
    """
    entries: list[Entry] = []
    notes: list[Note] = []
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"--results {folder}: no such folder. `bench run` writes results to runs/ by default.")
        for path in sorted(_candidates(folder)):
            name = path.relative_to(folder).as_posix()
            try:
                entries.append(read_entry(path, name, metrics))
            except Exception as error:  # noqa: BLE001 (anyone writes such files; one of them never stops the others)
                notes.append(Note(name, reason_of(error, path)))
    return entries, notes


def reason_of(error: Exception, path: Path) -> str:
    """Returns why a file is left out: what our error says of it, or what else it made our code raise."""
    if not isinstance(error, BenchError):
        return f"it cannot be read: {type(error).__name__}: {one_line(error)}"
    reason = str(error).removeprefix(f"{path}: ").removeprefix(f"{path} ").replace(f"{path.parent}/", "")
    return reason if len(reason) <= LONGEST else f"{reason[:LONGEST]}…"


def _candidates(folder: Path) -> Iterator[Path]:
    yield from folder.rglob("result.json")
    yield from (path for path in folder.glob("*/*--*.json") if not path.name.endswith(COMPANIONS))


def read_entry(path: Path, name: str, metrics: Sequence[str] = ()) -> Entry:
    """Returns the record in a file, called `name` on the board. Raises: BenchError."""
    if path.is_symlink():
        raise InvalidData(f"{path} is a link. Put the file itself there.")
    size = regular_file(path).stat().st_size
    if size > LARGEST:
        raise InvalidData(f"{path} has {size:,} bytes; no record has more than {LARGEST:,}.")
    record = read_record(path, metrics)
    result = record.result
    for beside in (path.with_name(result.evidence.file), predictions_path(path, result), check_path(path)):
        if beside is not None and beside.is_symlink():
            raise InvalidData(f"{path}: {beside.name} is a link. Put the file itself there.")
    return Entry(record, name, read_check(path, result))
