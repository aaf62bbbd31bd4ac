"""The plan of a finished run, made again from its record and the checkpoint that its folder names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.catalogue.lookup import Cell
from bench.data.readers.json_files import read_json
from bench.errors import InvalidData, VerificationError
from bench.files import sha256
from bench.results import Result
from bench.runs.plan import Plan, Request, plan


def plan_of_run(folder: Path, record: Result, cell: Cell, device: str) -> Plan:
    """Returns the plan of a finished run again, with the checkpoint that its folder names.

    Raises: VerificationError when the checkpoint or the test set are not those of the record; DataError when the
    checkpoint is missing.
    """
    checkpoint = None
    if record.provenance.checkpoint:
        checkpoint = _named_checkpoint(folder / "checkpoint.json")
        if not checkpoint.is_file():  # runs and checkpoints may have moved together
            checkpoint = folder.parent / "checkpoints" / checkpoint.parent.name / checkpoint.name
    request = Request(
        output=folder.parent,
        settings=record.model.settings,
        seed=record.seed,
        device=device,
        precision="bf16" if record.provenance.precision == "bf16" else "fp32",
        batch_size=record.provenance.batch_size,
        limit=record.data.n_evaluated if record.status == "partial" else None,
        checkpoint=checkpoint,
    )
    again = plan(cell, request)
    if checkpoint and record.provenance.checkpoint and sha256(checkpoint) != record.provenance.checkpoint.sha256:
        raise VerificationError(
            f"{checkpoint} is not the checkpoint that {folder} was made with. Run again with --no-resume."
        )
    if again.signature != record.signature:
        raise VerificationError(
            f"{folder}: its signature is {record.signature}, the data at hand give {again.signature}. Run again."
        )
    return replace(again, run=record.run, folder=folder)


def _named_checkpoint(path: Path) -> Path:
    named = read_json(path, "an object that names the run's checkpoint")
    if not isinstance(named, dict) or not isinstance(named.get("file"), str):
        raise InvalidData(f"{path} names no checkpoint. Run again with --no-resume.")
    return Path(named["file"])
