"""Finds and reads records, and says of every file that cannot stand on a board why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import InvalidData, UsageError, VerificationError
from bench.evidence.verified import read_record
from bench.leaderboard.checks import Check, Status, check_path, predictions_path, read_check
from bench.results import Evidence, Result

LARGEST = 1 << 20
"""Bytes of a record: a real one has some thousand. A larger file is refused before it is read."""
COMPANIONS = (".check.json",)


@dataclass(frozen=True)
class Note:
    """A file that is not ranked, with the reason; `file` is relative to the folder it was found in."""

    file: str
    reason: str


@dataclass(frozen=True)
class Entry:
    """A record that passed its checks: its numbers follow from its evidence.

    Attributes:
        file: where it was found, relative to the results folder.
        path: the same as a path that can be opened.
        result: the record.
        evidence: the counts it rests on.
        signature: its signature, taken apart.
        check: what was done here to trust it, or None.
    """

    file: str
    path: Path
    result: Result
    evidence: Evidence
    signature: dict[str, str]
    check: Check | None = None

    @property
    def status(self) -> Status:
        return "consistent" if self.check is None else self.check.status

    @property
    def partial(self) -> bool:
        """True when not all videos were evaluated, whatever the record calls itself."""
        data = self.result.data
        return self.result.status != "complete" or data.n_evaluated != data.n_expected


def read(folders: Sequence[Path]) -> tuple[list[Entry], list[Note]]:
    """Returns the readable records below `folders` and, for every other file that looks like one, why it is left out.

    A record is any `result.json`, and any `<task>/<model>--<run>.json` as `bench leaderboard add` stores them.

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
                entries.append(_read(path, name))
            except (InvalidData, VerificationError) as error:
                reason = str(error).removeprefix(f"{path}: ").removeprefix(f"{path} ")
                notes.append(Note(name, reason.replace(f"{path.parent}/", "")))
    return entries, notes


def _candidates(folder: Path) -> Iterator[Path]:
    yield from folder.rglob("result.json")
    yield from (path for path in folder.glob("*/*--*.json") if not path.name.endswith(COMPANIONS))


def _read(path: Path, name: str) -> Entry:
    if path.is_symlink():
        raise InvalidData(f"{path} is a link. Put the file itself there.")
    if path.stat().st_size > LARGEST:
        raise InvalidData(f"{path} has {path.stat().st_size:,} bytes; no record has more than {LARGEST:,}.")
    record = read_record(path)
    result, parts = record.result, record.signature
    for beside in (path.with_name(result.evidence.file), predictions_path(path, result), check_path(path)):
        if beside is not None and beside.is_symlink():
            raise InvalidData(f"{path}: {beside.name} is a link. Put the file itself there.")
    base = result.task.name.partition(":")[0]
    for what, said, expected in (
        ("task", parts["task"], f"{base}/{result.task.version}"),
        ("data", parts.get("data"), result.data.kind),
        ("split", parts.get("split"), result.task.split),
    ):
        if said != expected:
            raise InvalidData(f"{path}: the signature says {what}={said}, the record {what}={expected}.")
    return Entry(name, path, result, record.evidence, parts, read_check(path, result))
