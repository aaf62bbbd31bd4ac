"""What was scored from a file as a record with its evidence: it can stand on a board, under a signature of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.errors import UsageError
from bench.evidence.kinds import kind_of
from bench.files import digest, sha256, slug
from bench.results import Data, Evidence, Features, File, Measurement, Model, Provenance, Result, TaskName, signature
from bench.runs import provenance

SOURCES = {
    "similarity": "similarity matrix",
    "embeddings": "pair of embedding files",
    "trec": "TREC run",
    "captions": "file of captions",
    "classes": "file of classes",
}
Kind = Literal["real", "simulated", "generated"]


@dataclass(frozen=True)
class Claim:
    """What whoever made the file says about it; we saw no model and no data.

    Attributes:
        name: of the model.
        task, split: what was evaluated.
        kind: of the data.
        features: what the model saw, in a word.
        seed: of its training.
        started: when scoring started, UTC.
        command: what the user typed.
    """

    name: str
    task: str
    split: str
    kind: Kind
    features: str
    seed: int
    started: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """What a file is worth.

    Attributes:
        measurements: follow from the evidence.
        evidence: of one test set.
        primary: the measurement that ranks.
        expected: videos (of retrieval: items of the gallery) in the test set, evaluated or not.
        whole: false where some of what was asked for was left out.
        remarks: what to know beside the figures, a line each.
    """

    measurements: tuple[Measurement, ...]
    evidence: Evidence
    primary: str
    expected: int
    whole: bool = True
    remarks: tuple[str, ...] = ()


def record_of(measured: Measured, claim: Claim, sources: tuple[Path, ...], rules: Mapping[str, str]) -> Result:
    """Returns the record of what was scored from files; its evidence is named, not written.

    Args:
        rules: the parts of the signature that say how it was scored, with `source`.

    Raises: UsageError for a word that cannot stand in a signature.
    """
    evidence, size = measured.evidence, kind_of(measured.evidence).pool_size(measured.evidence)
    digests = [sha256(source) for source in sources]
    given = digests[0] if len(digests) == 1 else digest(digests)
    parts = {
        "split": claim.split,
        "pool": f"{size}:{evidence.pool[:8]}",
        "features": claim.features,
        **rules,
        "data": claim.kind,
    }
    try:
        signed = signature(claim.task, 1, parts)
    except ValueError as error:
        raise UsageError(f"{error}: --task, --split and --features are words without spaces, '|' and '='.") from error
    run = f"{slug(claim.name)}--{slug(claim.task)}--s{claim.seed}--{digest([signed, claim.name, given])[:8]}"
    return Result(
        run=run,
        model=Model(
            name=claim.name,
            summary=f"scored from a {SOURCES[rules['source']]} that was computed elsewhere",
            paper="",
            distribution="computed elsewhere",
            revision=1,
            settings={},
            provides=[],
            uses_segments=True,
            control=False,
        ),
        task=TaskName(name=claim.task, version=1, dataset=claim.task, split=claim.split),
        data=Data(
            kind=claim.kind,
            label=f"{claim.task} ({claim.kind}), as given",
            annotations={claim.split: evidence.pool},
            features=Features(extractor=claim.features, dim=0, stride="unknown", digest=given),
            n_expected=measured.expected,
            n_evaluated=size,
            remarks=list(measured.remarks),
        ),
        seed=claim.seed,
        status="complete" if measured.whole else "partial",
        signature=signed,
        primary=measured.primary,
        measurements=list(measured.measurements),
        evidence=File(file=f"{run}.evidence.safetensors", sha256="0" * 64),
        predictions=None,
        provenance=_provenance(claim, rules),
    )


def _provenance(claim: Claim, rules: Mapping[str, str]) -> Provenance:
    commit, dirty = provenance.commit()
    return Provenance(
        command=list(claim.command),
        commit=commit,
        dirty=dirty,
        versions=provenance.versions("vtbench"),
        hardware=provenance.hardware("cpu"),
        device="cpu",
        precision=rules.get("dtype", "as given"),
        batch_size=1,
        threads=1,
        started=claim.started,
        seconds={},
        checkpoint=None,
    )


def save(result: Result, evidence: Evidence, output: Path) -> Path:
    """Writes evidence and record to a folder of their own below `output` and returns it.

    Raises: SaveError when the same was scored there before.
    """
    folder = output / result.run
    evidence.save(folder / result.evidence.file)
    file = File(file=result.evidence.file, sha256=sha256(folder / result.evidence.file))
    result.model_copy(update={"evidence": file}).save(folder / "result.json")
    return folder
