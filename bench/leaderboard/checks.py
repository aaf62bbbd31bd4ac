"""What was done here to trust a record, and the status its row gets: nothing that a record says of itself counts.

- `reproduced`: the recorded command was run again here, with the same outcome.
- `rescored`: every number was computed again here from the stored embeddings, captions or class scores.
- `consistent`: the numbers follow from the evidence and keep every invariant. Anyone can write such a file.
- `published`: copied from a paper; there is no record.

A check lies beside its record as `<run>.check.json`. It names the record and the predictions by their digests, so it
vouches for nothing else. It is a claim: `bench leaderboard check` scores again whatever can be scored again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, ValidationError

from bench.errors import InvalidData
from bench.files import sha256, write_atomically
from bench.reading.outside import JSON, read_content
from bench.results import Record, Result, Sha256

Status = Literal["reproduced", "rescored", "consistent"]
STATUSES = ("reproduced", "rescored", "consistent", "published")
"""Most trusted first."""


class Rerun(Record):
    """How the recorded command came out when it was run again."""

    outcome: Literal["bit-equal", "rank-equal", "within the interval"]
    versions: dict[str, str]
    hardware: dict[str, str]


class Check(Record):
    """What was done to one record, when, and with which code."""

    schema_: Literal["bench-check/1"] = Field(default="bench-check/1", alias="schema")
    record: Sha256 = Field(description="digest of the record it vouches for")
    predictions: Sha256 = Field(description="digest of the predictions that were scored again")
    date: str = Field(pattern=r"^\d{4}-\d\d-\d\d$", description="UTC")
    commit: str | None
    versions: dict[str, str]
    rerun: Rerun | None = None

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @property
    def status(self) -> Status:
        return "rescored" if self.rerun is None else "reproduced"


ADD = "Add the run again: `bench leaderboard add` puts it right."


def check_path(record: Path) -> Path:
    """Returns where the check of a record lies."""
    return record.with_name(f"{record.stem}.check.json")


def predictions_path(record: Path, result: Result) -> Path | None:
    """Returns where the predictions of a record on a board lie, or None where it names none.

    In a run's folder they have the name that the record gives; on a board that of the run, so that many can share a
    folder.
    """
    if result.predictions is None:
        return None
    if record.name == "result.json":
        return record.with_name(result.predictions.file)
    return record.with_name(f"{record.stem}.predictions{Path(result.predictions.file).suffix}")


def save_check(record: Path, check: Check) -> None:
    """Writes the check of a record; a later check replaces an earlier one. Raises: SaveError."""
    write_atomically(check_path(record), (check.model_dump_json(by_alias=True, indent=2) + "\n").encode())


def read_check(record: Path, result: Result) -> Check | None:
    """Returns the check of a record; None where there is none, so that the record is no more than consistent.

    Raises: InvalidData when there is one that cannot be read, belongs to another record, or claims that predictions
    were scored again which are not here.
    """
    path = check_path(record)
    if not path.is_file():
        return None
    try:
        check = Check.model_validate_json(read_content(path, JSON))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise InvalidData(f"{path} is no bench-check/1 file: {where}: {first['msg']}. {ADD}") from error
    if check.record != sha256(record):
        raise InvalidData(f"{path} vouches for another record. {ADD}")
    predictions = predictions_path(record, result)
    if predictions is None or not predictions.is_file():
        raise InvalidData(f"{path} calls it {check.status}, but its predictions are not here. Restore them. {ADD}")
    if result.predictions is None or {sha256(predictions), check.predictions} != {result.predictions.sha256}:
        raise InvalidData(f"{path}: {predictions.name} is not what the record names (sha256 differs). {ADD}")
    return check


def least(statuses: list[Status]) -> Status:
    """Returns the least trusted of some statuses: a row is as good as its weakest run."""
    return max(statuses, key=STATUSES.index)
