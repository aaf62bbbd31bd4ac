"""Records on their way to a board, and records of a board looked at again: what can be scored again is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from bench.catalogue.lookup import Session
from bench.errors import BenchError, CatalogueError, DataError, InvalidData, SaveError, ToolError, UsageError
from bench.evidence.verified import RESULT, stored, verified
from bench.files import remove_leftovers, sha256, slug, taken, write_atomically
from bench.leaderboard.building import Sources, files_of_build, site_of
from bench.leaderboard.checks import Check, Rerun, predictions_path, read_check, save_check
from bench.leaderboard.pages.contents import contents
from bench.leaderboard.published import read_published
from bench.leaderboard.records import Entry, ReadRecords
from bench.leaderboard.tables import first_of_each_seed
from bench.reading.numbers import number_of
from bench.reading.outside import one_line
from bench.results import File, Result
from bench.runs import provenance
from bench.runs.plan import STARTED
from bench.runs.rescore import rescore

OTHER = "For a run of its own, run with --no-resume; to replace what is there, remove its files from the board first."


@dataclass(frozen=True)
class Added:
    """Where a run is on the board, and what it was found to be; `new` is false where it was there already."""

    target: Path
    status: str
    new: bool


def add(folder: Path, board: Path, session: Session, *, keep_predictions: bool = True) -> Added:
    """Scores a run again where it has predictions, and copies record, evidence, predictions and check to the board.

    Without its predictions a row is `consistent` and no more: nobody can score it again.

    Raises: UsageError for a partial run; DataError, VerificationError when it does not hold; SaveError when the board
    holds another record of that name.
    """
    if folder.exists() and not folder.is_dir():
        raise InvalidData(f"{folder} is no folder. Name the folder of a run; `bench list runs` shows the runs.")
    if not taken(folder / RESULT) and (folder / STARTED).is_file():
        raise UsageError(f"{folder}: unfinished, no {RESULT} there. Give its `bench run` command again; it goes on.")
    run = stored(folder)
    record = run.result
    if record.status != "complete":
        raise UsageError(
            f"{folder} is {record.status}, {record.data.n_evaluated:,} of "
            f"{number_of(record.data.n_expected, 'video')}, and never ranked. Run it on all: without --limit, and not "
            "under `missing: exclude`."
        )
    verified(run)  # the invariants, also where nothing can be scored again
    if record.predictions is not None:
        task = session.catalogue.task(record.task.name)
        rescore(run, task, session.dataset(task.dataset))
    for place in (board / "results").glob("*/"):
        remove_leftovers(place)  # of an earlier command that was killed while it wrote
    target = board / "results" / slug(record.task.name) / f"{record.run}.json"
    content = (folder / RESULT).read_bytes()
    if taken(target) and target.read_bytes() != content:
        raise SaveError(f"{target} exists with other content and is never overwritten. {OTHER}")
    new = not taken(target)
    predictions = predictions_path(target, record) if keep_predictions else None
    if predictions is not None and record.predictions is not None:
        _copy(folder / record.predictions.file, predictions, record.predictions)
    _copy(folder / record.evidence.file, target.with_name(record.evidence.file), record.evidence)
    if new:  # the record comes after what it names: where it is, its evidence is
        try:
            write_atomically(target, content, overwrite=False)
        except SaveError:
            if not taken(target) or target.read_bytes() != content:
                raise
            new = False  # another process has added the same run meanwhile
    if predictions is not None and not _vouched(target, record):
        save_check(target, new_check(target, record))
    check = read_check(target, record)
    return Added(target, "consistent" if check is None else check.status, new)


def _copy(source: Path, target: Path, file: File) -> None:
    """Puts a file of a run onto the board, where it is missing or other than the record names it."""
    if not target.is_file() or sha256(target) != file.sha256:
        write_atomically(target, source.read_bytes())


def _vouched(target: Path, record: Result) -> bool:
    """Returns whether a record of the board has a check that holds; any other is replaced."""
    try:
        return read_check(target, record) is not None
    except InvalidData:
        return False


def new_check(path: Path, record: Result, rerun: Rerun | None = None) -> Check:
    """Returns the check of a record that was scored again, or run again, just now."""
    if record.predictions is None:
        raise UsageError(f"{path} was scored from a file that is not kept, so it cannot be checked further.")
    return Check(
        record=sha256(path),
        predictions=record.predictions.sha256,
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        commit=provenance.commit()[0],
        versions=provenance.versions("vtbench"),
        rerun=rerun,
    )


@dataclass(frozen=True)
class RecordFinding:
    """What `check` found out about one record or page.

    Attributes:
        file: its path below the results or the pages.
        outcome: `re-scored`; `invariants only`: what can be told without scoring again holds; or `failed`.
        reason: why not `re-scored`.
        unproved: whether it claims more than could be found out here.
    """

    file: str
    outcome: Literal["re-scored", "invariants only", "failed"]
    reason: str = ""
    unproved: bool = False


def check_records(records: ReadRecords, session: Session) -> Iterator[RecordFinding]:
    """Yields what is found out about every file that looks like a record; each is scored again where it can be."""
    entries, unreadable = records
    for note in unreadable:
        yield RecordFinding(note.file, "failed", note.reason)
    kept, repeated = first_of_each_seed(entries)
    for note in repeated:
        yield RecordFinding(note.file, "failed", note.reason)
    for entry in sorted(kept, key=lambda entry: entry.file):
        yield _checked(entry, session)


def check_published(folder: Path | None) -> Iterator[RecordFinding]:
    """Yields every file of published figures that no page can show."""
    for note in read_published(folder)[1] if folder else ():
        yield RecordFinding(note.file, "failed", note.reason)


def _checked(entry: Entry, session: Session) -> RecordFinding:
    result = entry.result
    predictions = predictions_path(entry.path, result)
    if result.predictions is None or predictions is None or not predictions.is_file():
        return RecordFinding(entry.file, "invariants only", "no predictions are stored, and it claims to be no more")
    try:
        task = session.catalogue.task(result.task.name)
        dataset = session.dataset(task.dataset)
        here = dataset.annotation_digest(task.split)
    except (CatalogueError, DataError) as error:
        return RecordFinding(entry.file, "invariants only", f"its references are not here: {error}", unproved=True)
    if here != result.data.annotations.get(result.task.split):
        reason = f"its references are not here: {task.dataset} {task.split} has others"
        return RecordFinding(entry.file, "invariants only", reason, unproved=True)
    try:
        with as_run(entry.path, result) as folder:
            rescore(stored(folder), task, dataset)
    except ToolError as error:  # says nothing about the record
        return RecordFinding(entry.file, "invariants only", f"it cannot be scored again here: {error}", unproved=True)
    except BenchError as error:
        return RecordFinding(entry.file, "failed", str(error).replace(f"{folder}: ", "").replace(f"{folder}/", ""))
    except Exception as error:  # noqa: BLE001 (anyone writes predictions; those of one record never stop the others)
        return RecordFinding(
            entry.file, "failed", f"it cannot be scored again: {type(error).__name__}: {one_line(error)}"
        )
    return RecordFinding(entry.file, "re-scored")


@contextmanager
def as_run(path: Path, result: Result) -> Iterator[Path]:
    """Lays a record of a board out as the folder of its run, for as long as its body lasts."""
    predictions = predictions_path(path, result)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        shutil.copyfile(path, folder / RESULT)
        (folder / result.evidence.file).symlink_to(path.with_name(result.evidence.file).resolve())
        if predictions is not None and result.predictions is not None:
            (folder / result.predictions.file).symlink_to(predictions.resolve())
        yield folder


def check_pages(sources: Sources, output: Path, records: ReadRecords) -> Iterator[RecordFinding]:
    """Yields every page in `output` that is not, byte for byte, what the records that were found give."""
    expected = contents(site_of(sources, output, records))
    for name, content in sorted(expected.items()):
        path = output / name
        if not path.is_file():
            yield RecordFinding(name, "failed", "the page is missing. Run `bench leaderboard build`.")
        elif path.read_bytes() != content:
            yield RecordFinding(name, "failed", "the page is not what the records give. Run `bench leaderboard build`.")
    for name in sorted(files_of_build(output) - expected.keys()):
        if (output / name).exists():
            yield RecordFinding(name, "failed", "no record gives this page. Run `bench leaderboard build`.")
