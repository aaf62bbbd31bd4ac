"""Scores saved predictions again, without the model and without a GPU, and says whether the record still holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.annotations import Annotations
from bench.errors import InvalidData, SaveError, VerificationError
from bench.evidence.kinds import known
from bench.evidence.verification import as_of_today, compare_measurements, differences, measured
from bench.evidence.verified import REMAKE, RESULT, Stored, check_file, check_statements
from bench.files import sha256, write_atomically
from bench.plugins.code import TaskCode
from bench.predictions import Predictions, load_predictions
from bench.results import Evidence, File, Measurement, Rescored, Result, comparable, parse_signature, signature
from bench.runs import provenance
from bench.runs.naming import own_names
from bench.runs.signing import handed
from bench.tasks.task import AsSigned, Scored, Task

if TYPE_CHECKING:
    import numpy as np

    from bench.data.dataset import Dataset

AGAIN = "when scored again"
_SUFFIX = "-rescored"


@dataclass(frozen=True)
class _Again:
    """Saved predictions scored once more.

    Attributes:
        task: under the rules that the record's signature names.
        measurements: all that follow from the new evidence, with those that the record names beyond them.
    """

    task: Task
    annotations: Annotations
    scored: Scored
    measurements: tuple[Measurement, ...]
    parts: Mapping[str, str]
    """Those parts of the signature that task and data decide."""


def rescore(record: Stored, task: Task, dataset: Dataset) -> Result:
    """Returns the record of a run after scoring its predictions again, with all measurements that follow.

    Raises: VerificationError when annotations, evidence or anything that the record states of them differ.
    """
    folder, result = record.folder, record.result
    again = _scored_again(folder, result, task, dataset)
    try:
        _compare(folder, result, again)
    except VerificationError as error:
        raise VerificationError(f"{folder}: {error} {REMAKE}") from error
    stated = {measurement.name: measurement for measurement in result.measurements}
    return result.model_copy(update={"measurements": [stated.get(m.name, m) for m in again.measurements]})


def rewrite(folder: Path, task: Task, dataset: Dataset) -> tuple[Path | None, list[str]]:
    """Scores the predictions of a run again and writes what they give as a new run beside it: a folder of its own.

    Returns: the new folder and what differs, one line each; None and nothing where the record holds as it is.

    Raises: InvalidData or VerificationError when the predictions are not those of the record, or the annotations
    others; SaveError.
    """
    path = folder / RESULT
    result = Result.load(path)
    if result.predictions is not None:
        check_file(folder, result.predictions)
    again = _scored_again(folder, result, task, dataset)
    new = _remade(path, result, again)
    changes = list(_changes(folder, result, new, again))
    if not changes:
        return None, []
    target = _claimed(folder, new.run)
    new = new.model_copy(update={"run": target.name})
    if result.predictions is not None:
        write_atomically(target / result.predictions.file, (folder / result.predictions.file).read_bytes())
    evidence = target / f"{target.name}.evidence.safetensors"
    again.scored.evidence.save(evidence)
    new = new.model_copy(update={"evidence": File(file=evidence.name, sha256=sha256(evidence))})
    new.save(target / RESULT)  # comes after what it names
    return target, changes


def _scored_again(folder: Path, result: Result, task: Task, dataset: Dataset) -> _Again:
    if result.predictions is None:
        raise InvalidData(
            f"{folder} was scored from a file that is not kept. Score that file again: its record's command is "
            f"`{' '.join(result.provenance.command)}`."
        )
    if task.version != result.task.version:
        raise VerificationError(
            f"{folder}: scored under {result.task.name} version {result.task.version}; "
            f"this bench has version {task.version}. Run again to compare."
        )
    if dataset.annotation_digest(task.split) != result.data.annotations.get(task.split):
        raise VerificationError(
            f"{folder}: the annotations of {task.dataset} {task.split} differ from those that were scored. "
            f"`bench data verify {task.dataset}` shows what is there."
        )
    with TaskCode(task).during("read its predictions"):
        predictions = load_predictions(folder / result.predictions.file, task.answers, result.predictions.kind)
    *lighter, last = task.as_signed(parse_signature(result.signature)) if isinstance(task, AsSigned) else (task,)
    for candidate in lighter:
        again = _scored_by(candidate, predictions, result, dataset)
        if _holds(folder, result, again):
            return again
    return _scored_by(last, predictions, result, dataset)


def _scored_by(task: Task, predictions: Predictions, result: Result, dataset: Dataset) -> _Again:
    with own_names(dataset, task.split, task.view), TaskCode(task).during("score"):
        annotations = task.annotations(dataset, result.limit)
        scored = task.score(predictions, annotations, "cpu")
    measurements = scored.measurements
    if known(scored.evidence):
        measurements = measured(scored.evidence, [measurement.name for measurement in result.measurements])
    pool = f"{len(annotations)}:{annotations.pool[:8]}"
    decided = {"split": task.split, "pool": pool, "segments": task.view.segments, **handed(task), **task.rules()}
    decided["data"] = dataset.kind
    return _Again(task, annotations, scored, measurements, decided)


def _holds(folder: Path, result: Result, again: _Again) -> bool:
    try:
        _compare(folder, result, again)
    except (VerificationError, InvalidData):
        return False
    return True


def _compare(folder: Path, result: Result, again: _Again) -> None:
    """Raises VerificationError naming the first statement of a record that its predictions do not give."""
    stored, counted, measurements = (
        Evidence.load(folder / result.evidence.file),
        again.scored.evidence,
        again.measurements,
    )
    if (kind := known(counted)) and (kept := kind.as_kept(counted, stored)).counts.keys() != counted.counts.keys():
        counted, measurements = kept, measured(kept, [measurement.name for measurement in result.measurements])
    told = as_of_today(result.measurements, measurements, len(again.annotations))
    compare_measurements(told, measurements, AGAIN)
    if difference := _evidence_differs(stored, counted):
        raise VerificationError(f"the evidence {difference} differs from what the predictions give.")
    if known(stored):
        check_statements(result, stored)
    if stated := next(_statements_differ(result, again), ""):
        raise VerificationError(f"{stated} {AGAIN}.")


def _evidence_differs(stored: Evidence, counted: Evidence) -> str:
    """Returns in what two pieces of evidence differ, or nothing."""
    if any(getattr(stored, field) != getattr(counted, field) for field in ("kind", "pool", "n_items", "about")):
        return "of another kind or test set"
    common = stored.counts.keys() & counted.counts.keys()
    same = {name for name in common if _same(stored.counts[name], counted.counts[name])}
    return next((f"for {name}" for name in sorted({*stored.counts, *counted.counts} - same)), "")


def _statements_differ(result: Result, again: _Again) -> Iterator[str]:
    """Yields what else a record says that task and data decide, where they decide otherwise."""
    task, signed = again.task, parse_signature(comparable(result.signature))
    parts = {key: comparable(f"{key}={value}").partition("=")[2] for key, value in again.parts.items()}
    pairs = [
        ("primary", result.primary, again.scored.ranked_by(task.primary)),
        ("task.dataset", result.task.dataset, task.dataset),
        ("data.n_evaluated", result.data.n_evaluated, len(again.annotations)),
        *((f"the signature's {key}", signed[key], value) for key, value in parts.items() if key in signed),
    ]
    yield from (f"{what} is {said} in the record, {true}" for what, said, true in pairs if said != true)


def _remade(path: Path, result: Result, again: _Again) -> Result:
    """Returns the record that the predictions give now; its evidence is named later."""
    task, parts = again.task, parse_signature(result.signature)
    parts |= {key: value for key, value in again.parts.items() if key in parts}
    head, version = parts.pop("task").split("/", 1)
    made = Rescored(
        record=sha256(path),
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        commit=provenance.commit()[0],
        versions=provenance.versions("vtbench"),
    )
    measurements = {measurement.name for measurement in again.measurements}
    return result.model_copy(
        update={
            "run": re.sub(rf"{_SUFFIX}(-\d+)?$", "", result.run) + _SUFFIX,
            "task": result.task.model_copy(update={"dataset": task.dataset, "split": task.split}),
            "data": result.data.model_copy(update={"n_evaluated": len(again.annotations)}),
            "signature": signature(head, int(version), parts),
            "primary": again.scored.ranked_by(task.primary),
            "measurements": list(again.measurements),
            "columns": [column for column in result.columns if column.name not in measurements],
            "provenance": result.provenance.model_copy(update={"rescored": made}),
        }
    )


def _changes(folder: Path, old: Result, new: Result, again: _Again) -> Iterator[str]:
    """Yields what a new record says otherwise than the old one, one line each."""
    before = {measurement.name: measurement for measurement in old.measurements}
    for measurement in new.measurements:
        if measurement.name not in before:
            yield f"{measurement.name}: new, {measurement.value:.6g}"
            continue
        for field, (said, true) in differences(before.pop(measurement.name), measurement).items():
            yield f"{measurement.name}: {field} {said} → {true}"
    yield from (f"{name}: gone, it does not follow" for name in before)
    yield from (f"{line} {AGAIN}" for line in _statements_differ(old, again))
    place = folder / old.evidence.file
    if not place.is_file() or sha256(place) != old.evidence.sha256:
        yield f"{old.evidence.file}: missing or another file than the record names; counted again"
        return
    try:
        difference = _evidence_differs(Evidence.load(place), again.scored.evidence)
    except InvalidData as error:
        difference = f"cannot be read ({error})"
    if difference:
        yield f"the evidence {difference}: counted again"


def _claimed(folder: Path, run: str) -> Path:
    """Returns a new, empty folder beside a run's folder, named `run` or with a number behind it. Raises: SaveError."""
    place, number = folder.resolve().with_name(run), 1
    try:
        while True:
            try:
                place.mkdir()
                return place
            except FileExistsError:
                number += 1
                place = place.with_name(f"{run}-{number}")
    except OSError as error:
        raise SaveError(
            f"cannot write {place}: {error.strerror}. Copy the run to a folder that can be written."
        ) from error


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """True for equal counts, and for values that are the same up to the last bits of double arithmetic."""
    import numpy as np

    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return np.allclose(a, b, rtol=1e-12, atol=1e-12) if a.dtype.kind == "f" else np.array_equal(a, b)
