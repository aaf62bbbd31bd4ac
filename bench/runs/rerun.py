"""A finished run planned or run again: is the outcome bit-equal, equal in ranks, within the noise, or different?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.catalogue.lookup import RunCell, Session
from bench.data.readers.json_files import read_json
from bench.errors import InvalidData, UsageError, VerificationError
from bench.evidence.kinds import kind_of
from bench.evidence.verification import measured
from bench.evidence.verified import RESULT, Verified, read_record
from bench.files import sha256
from bench.results import Result
from bench.runs import execute as runner
from bench.runs.plan import CHECKPOINT, RunPlan, plan
from bench.runs.progress import Reporter
from bench.runs.request import Request

OUTCOMES = ("bit-equal", "rank-equal", "within the interval", "different")
"""From the strongest to the weakest."""


@dataclass(frozen=True)
class Outcome:
    """How a run came out when it was run again.

    Attributes:
        first: the record.
        again: the new record.
        folder: the folder of the new run.
        word: one of `OUTCOMES`.
        differs: the measurement that is farthest outside its interval, in words; "" where none is.
    """

    first: Verified
    again: Verified
    folder: Path
    word: str
    differs: str = ""


def rerun(path: Path, output: Path, session: Session, device: str, reporter: Reporter) -> Outcome:
    """Runs the model of a record again with its settings, seed and precision: fits, predicts and scores anew.

    Nothing of the recorded command is executed as a command: the record's fields say what to run.

    Args:
        path: a run's folder, or a record.
        output: an empty place for the new run and its checkpoint, so that nothing old is reused.

    Raises: UsageError for a record that was scored from a file; VerificationError when data or signature are not those
    of the record; DataError, CatalogueError, ModelError.
    """
    record = read_record(path)
    result = record.result
    if result.predictions is None:
        command = " ".join(result.provenance.command)
        raise UsageError(f"{record.path} was scored from a file: no model is to be run. Score it again: `{command}`.")
    request = replace(Request.of(result, output), device=device, word_vectors=session.config.word_vectors)
    planned = plan(session.cell(result.model.name, result.task.name), request, reporter)
    if planned.signature != result.signature:
        raise VerificationError(
            f"{record.path}: its signature is {result.signature}, the data at hand give {planned.signature}. "
            "Bind the dataset that the record names."
        )
    trained, checkpoints = result.provenance.checkpoint, planned.fit.checkpoints
    if trained and checkpoints and checkpoints.ingredients.key != trained.key:
        reporter.say("its checkpoint was made from other ingredients: another version, training set or word vectors")
    if planned.finished:
        raise UsageError(f"{planned.folder} exists: that would compare a run with itself. Choose another --output.")
    runner.execute(planned, reporter)
    again = read_record(planned.folder / RESULT)
    word, differs = compared(record, again)
    return Outcome(record, again, planned.folder, word, differs)


def compared(first: Verified, again: Verified) -> tuple[str, str]:
    """Returns the word for how two records of one command compare, and the first measurement outside its interval."""
    a, b = first.result, again.result
    counts = first.evidence.counts
    counts_again = kind_of(again.evidence).as_kept(again.evidence, first.evidence).counts
    same_evidence = counts.keys() == counts_again.keys() and all(
        np.array_equal(counts[name], counts_again[name]) for name in counts
    )
    same_evidence = same_evidence and first.evidence.about == again.evidence.about
    if same_evidence and a.predictions and b.predictions and a.predictions.sha256 == b.predictions.sha256:
        return "bit-equal", ""
    if same_evidence:
        return "rank-equal", ""
    names = [measurement.name for measurement in a.measurements]
    known = {measurement.name: measurement for measurement in measured(again.evidence, names)}
    for measurement in measured(first.evidence, names):
        value = known.get(measurement.name)
        if value is None:
            return "different", f"{measurement.name} was not measured again"
        low, high = measurement.ci95 or (measurement.value, measurement.value)
        if not low <= value.value <= high:
            return "different", f"{measurement.name} is {value.value:.2f}, outside {low:.2f} to {high:.2f}"
    return "within the interval", ""


def plan_of_run(folder: Path, result: Result, cell: RunCell, device: str) -> RunPlan:
    """Returns the plan of a finished run again, with the checkpoint that its folder names.

    Raises: VerificationError when the checkpoint or the test set are not those of the record; DataError when the
    checkpoint is missing.
    """
    checkpoint, recorded = None, result.provenance.checkpoint
    if recorded:
        checkpoint = _named_checkpoint(folder / CHECKPOINT)
        if not checkpoint.is_file():  # runs and checkpoints may have moved together
            checkpoint = folder.parent / "checkpoints" / checkpoint.parent.name / checkpoint.name
    again = plan(cell, replace(Request.of(result, folder.parent), device=device, checkpoint=checkpoint))
    if checkpoint and recorded and sha256(checkpoint) != recorded.sha256:
        raise VerificationError(
            f"{checkpoint} is not the checkpoint that {folder} was made with. Run again with --no-resume."
        )
    if again.signature != result.signature:
        raise VerificationError(
            f"{folder}: its signature is {result.signature}, the data at hand give {again.signature}. Run again."
        )
    return replace(again, run=result.run, folder=folder)


def _named_checkpoint(path: Path) -> Path:
    named = read_json(path, "an object that names the run's checkpoint")
    if not isinstance(named, dict) or not isinstance(named.get("file"), str):
        raise InvalidData(f"{path} names no checkpoint. Run again with --no-resume.")
    return Path(named["file"])
