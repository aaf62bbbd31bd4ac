"""Scores saved predictions again, without the model and without a GPU, and says whether the record still holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import InvalidData, VerificationError
from bench.files import sha256
from bench.predictions import load_predictions
from bench.results import Evidence, File, Result, parse_signature, same_value
from bench.runs.plan import RESULT
from bench.tasks.task import AsSigned, Task

if TYPE_CHECKING:
    import numpy as np

    from bench.data.dataset import Dataset


def load_record(folder: Path) -> Result:
    """Returns the record in a run's folder, after checking that its files are the ones it names.

    Raises: InvalidData when something is missing, VerificationError when a digest differs.
    """
    result = Result.load(folder / RESULT)
    for part in (result.evidence, result.predictions):
        if part is not None:
            _check_digest(folder, part)
    return result


def _check_digest(folder: Path, part: File) -> None:
    path = folder / part.file
    if not path.is_file():
        raise InvalidData(f"{path} is missing; the record names it. Restore it, or run again.")
    found = sha256(path)
    if found != part.sha256:
        raise VerificationError(
            f"{path} has sha256 {found[:12]}…, the record says {part.sha256[:12]}…. Restore it, or run again."
        )


def rescore(folder: Path, task: Task, dataset: Dataset) -> Result:
    """Returns the record of a run after scoring its predictions again.

    Raises: VerificationError when annotations, evidence or any measurement differ from what the record says.
    """
    result = load_record(folder)
    if result.predictions is None:
        raise InvalidData(f"{folder} was scored from a file that is not kept. Score it again: `bench score retrieval`.")
    if task.version != result.task.version:
        raise VerificationError(
            f"{folder}: scored under {result.task.name} version {result.task.version}; "
            f"this bench has version {task.version}. Run again to compare."
        )
    limit = result.data.n_evaluated if result.status == "partial" else None
    if dataset.annotation_digest(task.split) != result.data.annotations.get(task.split):
        raise VerificationError(
            f"{folder}: the annotations of {task.dataset} {task.split} differ from those that were scored. "
            f"`bench data verify {task.dataset}` shows what is there."
        )
    predictions = load_predictions(folder / result.predictions.file)
    if isinstance(task, AsSigned):
        task = task.as_signed(parse_signature(result.signature))
    scored = task.score(predictions, task.annotations(dataset, limit), "cpu")
    again = {measurement.name: measurement for measurement in scored.measurements}
    for measurement in result.measurements:
        found = again.get(measurement.name)
        if found is None or not same_value(found.value, measurement.value):
            value = "nothing" if found is None else f"{found.value:.6g}"
            raise VerificationError(
                f"{folder}: {measurement.name} is {measurement.value:.6g} in the record, {value} when scored again."
            )
    stored = Evidence.load(folder / result.evidence.file)
    for name, counts in scored.evidence.counts.items():
        if name not in stored.counts or not _same(stored.counts[name], counts):
            raise VerificationError(f"{folder}: the evidence for {name} differs from what the predictions give.")
    return result


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """True for equal counts, and for values that are the same up to the last bits of double arithmetic."""
    import numpy as np

    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return np.allclose(a, b, rtol=1e-12, atol=1e-12) if a.dtype.kind == "f" else np.array_equal(a, b)
