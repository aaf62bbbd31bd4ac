"""A record with the evidence it names, read and checked: everything that compares or ranks starts here.

Needs no plugin, no dataset, no torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import InvalidData, VerificationError
from bench.evidence.kinds import kind_of
from bench.evidence.verification import verify
from bench.files import sha256
from bench.results import Evidence, File, Result, comparable, parse_signature, sampled

REMAKE = (
    "Make it again: `bench rescore --write RUN` does where the run's predictions are; without them, run it with "
    "--no-resume, or score its file into another --output."
)


RESULT = "result.json"
"""The record in a run's folder."""


@dataclass(frozen=True)
class Stored:
    """A record on disk; the files beside it are the ones that it names.

    Attributes:
        path: the JSON file.
        result: what it says.
    """

    path: Path
    result: Result

    @property
    def folder(self) -> Path:
        """Where the record and its files are."""
        return self.path.parent


@dataclass(frozen=True)
class Verified:
    """A record of which everything that can be measured again was, and is as stated.

    Attributes:
        path: the JSON file.
        result: what it says, with all measurements that follow from the evidence, also those that it leaves unsaid.
        evidence: what it rests on.
        signature: its signature, taken apart, as `bench.results.comparable` has it.
    """

    path: Path
    result: Result
    evidence: Evidence
    signature: dict[str, str]


def stored(path: Path, *, predictions: bool = True) -> Stored:
    """Returns the record in a run's folder or JSON file, after checking that its files are the ones it names.

    Args:
        predictions: whether the file of predictions has to be there, too.

    Raises: InvalidData when a file is missing or foreign, VerificationError when a digest differs.
    """
    path = path / RESULT if path.is_dir() else path
    result = Result.load(path)
    for file in (result.evidence, result.predictions if predictions else None):
        if file is not None:
            check_file(path.parent, file)
    return Stored(path, result)


def check_file(folder: Path, file: File) -> None:
    """Raises InvalidData when a file that a record names is missing, VerificationError when it is another one."""
    path = folder / file.file
    if not path.is_file():
        raise InvalidData(f"{path} is missing; the record names it. Restore it. {REMAKE}")
    digest = sha256(path)
    if digest != file.sha256:
        raise VerificationError(
            f"{path} has sha256 {digest[:12]}…, the record says {file.sha256[:12]}…. Restore it. {REMAKE}"
        )


def read_record(path: Path, named: Iterable[str] = ()) -> Verified:
    """Returns the record in a run's folder or JSON file, with its evidence; predictions need not be there.

    Args:
        named: as `verified`.

    Raises: as `stored` and `verified`.
    """
    return verified(stored(path, predictions=False), named)


def verified(record: Stored, named: Iterable[str] = ()) -> Verified:
    """Returns a record with its evidence.

    Args:
        named: names of measurements beyond those that are there unasked, such as `t2v/R@100`; where they do not follow
            from the evidence they are left out.

    Raises: InvalidData for evidence that cannot be read; VerificationError when something that the record states does
    not follow from the evidence, or breaks what must hold for any ranking.
    """
    result = record.result
    evidence = Evidence.load(record.folder / result.evidence.file)
    try:
        measurements = verify(evidence, result.measurements, named)
        signature = check_statements(result, evidence)
    except VerificationError as error:
        raise VerificationError(f"{record.path}: {error} {REMAKE}") from error
    names = {measurement.name for measurement in measurements}
    columns = [column for column in result.columns if column.name not in names]
    complete = result.model_copy(update={"measurements": list(measurements), "columns": columns})
    return Verified(record.path, complete, evidence, signature)


def check_statements(result: Result, evidence: Evidence) -> dict[str, str]:
    """Returns the signature taken apart, after comparing all that a record says twice, or its evidence once more.

    Raises: VerificationError naming the first that differs.
    """
    try:
        signature = parse_signature(comparable(result.signature))
    except ValueError as error:
        raise VerificationError(f"the signature {result.signature!r} cannot be taken apart.") from error
    data, task, size = result.data, result.task, kind_of(evidence).pool_size(evidence)
    given = data.features
    made = (f"{given.extractor}-{given.dim}:{given.digest[:8]}", given.extractor)  # computed here, or elsewhere
    told = signature.get("features")
    pairs: list[tuple[str, object, object]] = [
        ("the signature's task", signature["task"], f"{task.name.partition(':')[0]}/{task.version}"),
        ("the signature's data", signature.get("data"), data.kind),
        ("the signature's split", signature.get("split"), task.split),
        ("the signature's features", told, told if told in made else made[0]),
        ("the signature's pool", signature.get("pool"), f"{size}:{evidence.pool[:8]}"),
        ("data.n_evaluated", data.n_evaluated, size),
    ]
    if told == made[0]:
        pairs.append(("the signature's frames", signature.get("frames"), sampled(given.made).get("frames")))
    if data.missing is not None and task.split in data.missing.videos:
        count = f"{data.missing.policy}-{data.missing.videos[task.split]}"
        pairs.append(("the signature's missing", signature.get("missing"), count))
    for what, said, expected in pairs:
        if said != expected:
            raise VerificationError(f"{what} is {said}, the rest of the record and its evidence give {expected}.")
    return signature
