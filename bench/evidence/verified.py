"""A record with the evidence it names, read and checked: everything that compares or ranks starts here.

Needs no plugin, no dataset, no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.errors import InvalidData, VerificationError
from bench.evidence.verification import pool_size, verify
from bench.files import sha256
from bench.results import Evidence, Result, parse_signature


@dataclass(frozen=True)
class Record:
    """A record whose numbers follow from its evidence.

    Attributes:
        path: the JSON file.
        result: what it says.
        evidence: what it rests on.
        signature: its signature, taken apart.
    """

    path: Path
    result: Result
    evidence: Evidence
    signature: dict[str, str]


def read_record(path: Path) -> Record:
    """Returns the record in a run's folder or JSON file, with its evidence.

    Raises: InvalidData when a file is missing, foreign or not the one that the record names; VerificationError when
    the numbers do not follow from the evidence or break what must hold for any ranking.
    """
    path = path / "result.json" if path.is_dir() else path
    result = Result.load(path)
    try:
        signature = parse_signature(result.signature)
    except ValueError as error:
        raise InvalidData(f"{path}: the signature {result.signature!r} cannot be taken apart.") from error
    place = path.parent / result.evidence.file
    if not place.is_file():
        raise InvalidData(f"{path}: its evidence {result.evidence.file} is missing. Restore it, or run again.")
    if sha256(place) != result.evidence.sha256:
        raise InvalidData(f"{path}: {result.evidence.file} is not the evidence that the record names (sha256 differs).")
    evidence = Evidence.load(place)
    try:
        verify(evidence, tuple(result.measurements))
        _check_pool(evidence, signature)
    except VerificationError as error:
        raise VerificationError(f"{path}: {error}") from error
    return Record(path, result, evidence, signature)


def _check_pool(evidence: Evidence, signature: dict[str, str]) -> None:
    """Raises VerificationError unless the signature names the test set of the evidence: its size and digest."""
    if "pool" not in signature:
        return
    found = f"{pool_size(evidence)}:{evidence.pool[:8]}"
    if signature["pool"] != found:
        raise VerificationError(
            f"the signature says pool={signature['pool']}, its evidence was counted on pool={found}. Run again."
        )
