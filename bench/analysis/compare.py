"""Two models compared from their saved runs alone: the runs' records and evidence, no model, no dataset, no GPU."""

from __future__ import annotations

import glob
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UsageError, VerificationError
from bench.evidence.comparisons import Paired, metrics_of, paired
from bench.evidence.kinds import kind_of
from bench.evidence.verified import Verified, read_record
from bench.leaderboard.records import COMPANIONS
from bench.reading.numbers import number_of
from bench.results import WEIGHTS, Result

ACROSS = ("segments", "features", "frames")
"""Parts of a signature that change what models see and leave the queries as they are."""


@dataclass(frozen=True)
class ComparedModel:
    """The runs of one model: one for each seed, ordered by seed."""

    records: tuple[Verified, ...]

    @property
    def first(self) -> Result:
        return self.records[0].result

    @property
    def name(self) -> str:
        return self.first.model.name

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(record.result.seed for record in self.records)


_OF_ALL_VIDEOS = ("pool", "missing", "hits", "features")
"""Parts of a signature that depend on which videos were evaluated."""


def find_runs(text: str) -> list[Path]:
    """Returns the run folders and record files that `text` names: paths and glob patterns, separated by commas.

    Raises: UsageError when a part names nothing.
    """
    runs: list[Path] = []
    for part in [text] if Path(text).exists() else text.split(","):
        if Path(part).exists():
            paths = [Path(part)]
        else:  # beside a board's records lie files that are none
            matching = sorted(glob.glob(part))  # noqa: PTH207 (may be absolute)
            paths = [Path(path) for path in matching if not path.endswith(COMPANIONS)]
        if not paths:
            raise UsageError(
                f"{part!r} is no run folder, no record and matches none. `bench list runs` shows the runs."
            )
        runs += [path for path in paths if path.is_file() or (path / "result.json").is_file()]
    if not runs:
        raise UsageError(f"{text!r}: no finished run there (no result.json). `bench list runs` shows the runs.")
    return runs


def open_side(paths: Sequence[Path]) -> ComparedModel:
    """Returns the runs at `paths` as one model over several seeds.

    Raises: InvalidData, VerificationError for a record that does not hold; what `side_of` raises.
    """
    return side_of([read_record(path) for path in paths])


def side_of(runs: Sequence[Verified]) -> ComparedModel:
    """Returns runs as one model over several seeds. Raises: UsageError when they differ in more than their seed."""
    records = sorted(runs, key=lambda record: record.result.seed)
    first = records[0]
    for record in records[1:]:
        other = _unlike(first.result, record.result) or _different_parts(first, record)
        if other:
            raise UsageError(
                f"{first.path} and {record.path} are not two seeds of one model: they differ in {other}. "
                "Compare them as A and B."
            )
        if not same_queries(first, record):
            raise VerificationError(
                f"{first.path} and {record.path} name one signature but hold other test sets. Compare runs of one."
            )
    seeds = [record.result.seed for record in records]
    if len(set(seeds)) < len(seeds):
        twice = max(seeds, key=seeds.count)
        both = " and ".join(str(record.path) for record in records if record.result.seed == twice)
        raise UsageError(
            f"seed {twice} of {first.result.model.name} was given twice, as {both}. Leave one of them out."
        )
    return ComparedModel(tuple(records))


def _unlike(a: Result, b: Result) -> str:
    """Returns in what two runs differ as models, or nothing."""
    if a.model.name != b.model.name:
        return f"model ({a.model.name}, {b.model.name})"
    names = sorted(set(a.model.settings) | set(b.model.settings))
    differing = [name for name in names if a.model.settings.get(name) != b.model.settings.get(name)]
    if differing:
        return f"settings {', '.join(differing)}"
    made = (a.model.distribution, a.model.revision, a.provenance.precision)
    return "" if made == (b.model.distribution, b.model.revision, b.provenance.precision) else "version or precision"


def _different_parts(a: Verified, b: Verified, cut: Collection[str] = ()) -> str:
    """Returns the parts of the signature in which two records differ, in words, or nothing.

    A model that looks at whole videos only predicts the same under every segment source.

    Args:
        cut: parts that are compared without what stands behind their colon.
    """
    keys = dict.fromkeys([*a.signature, *b.signature])
    keys.pop(WEIGHTS, None)  # what is compared
    if not (a.result.model.uses_segments and b.result.model.uses_segments):
        keys.pop("segments", None)
    differing = [key for key in keys if a.signature.get(key) != b.signature.get(key)]
    if cut:
        heads = [{key: record.signature.get(key, "").partition(":")[0] for key in cut} for record in (a, b)]
        differing = [
            key for key in differing if key not in cut or (key == "features" and heads[0][key] != heads[1][key])
        ]
    return ", ".join(f"{key} ({a.signature.get(key, 'none')}, {b.signature.get(key, 'none')})" for key in differing)


def same_queries(a: Verified, b: Verified) -> bool:
    """Returns whether two records were evaluated on the same queries in the same order."""
    one, other = (kind_of(x.evidence).as_kept(x.evidence, y.evidence) for x, y in ((a, b), (b, a)))
    sizes = [{way: len(counts) for way, counts in evidence.counts.items()} for evidence in (one, other)]
    return one.pool == other.pool and sizes[0] == sizes[1]


def check_comparable(a: ComparedModel, b: ComparedModel, *, across: bool, cut: bool = False) -> None:
    """Raises VerificationError, naming every difference, unless both sides answered the same queries alike.

    Args:
        across: whether they may differ in segments and features.
        cut: whether their evidence is of the videos that both were evaluated on; what their signatures say of the test
            set is then of more, and digests of features are of other videos, so features are told by their extractor.
    """
    one, other = a.records[0], b.records[0]
    if not same_queries(one, other):
        sizes = [kind_of(record.evidence).pool_size(record.evidence) for record in (one, other)]
        more = f"{sizes[1] - sizes[0]:+,} videos" if sizes[0] != sizes[1] else "equal in size, not in content"
        raise VerificationError(
            f"A and B were evaluated on different test sets: {_pool(one)} against {_pool(other)} ({more}). "
            "Paired comparison needs the same queries: run one of them on the other's test set."
        )
    differing = _different_parts(one, other, _OF_ALL_VIDEOS if cut else ())
    named = [part.partition(" ")[0] for part in differing.split("), ") if part]
    if not named:
        return
    if not set(named) <= set(ACROSS):
        raise VerificationError(f"A and B were scored differently: {differing}. Run one of them like the other.")
    if not across:
        raise VerificationError(
            f"A and B differ in {differing}, so the difference is not that of the models alone. The queries are the "
            "same: compare them all the same with --across."
        )


def _pool(record: Verified) -> str:
    result = record.result
    videos = kind_of(record.evidence).pool_size(record.evidence)
    return f"{result.task.name} {result.task.split}, {number_of(videos, 'video')}"


def compare_sides(a: ComparedModel, b: ComparedModel, metrics: Sequence[str] = ()) -> list[Paired]:
    """Returns A against B in every measurement of `metrics`, or in every recall.

    Raises: UsageError for a measurement that has no value for each query.
    """
    first, second = ([record.evidence for record in side.records] for side in (a, b))
    return [paired(first, second, metric) for metric in metrics or metrics_of(first[0])]
