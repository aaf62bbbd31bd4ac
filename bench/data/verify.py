"""What `bench data verify` reports about an opened dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.data.declared import ExaminedFeatures
from bench.data.features.pack import PackedFeatures
from bench.data.features.stored import missing_videos
from bench.data.groups import groups_of
from bench.data.readers.qrels import read_qrels
from bench.data.sets.comparing import SetComparison, compare, split_of
from bench.data.sets.named import named_set
from bench.errors import DataError, InvalidData
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.data.dataset import Dataset


@dataclass
class DatasetReport:
    """What was found in a dataset.

    Attributes:
        facts: what is there, one fact a line.
        problems: what would stop a run, or make its numbers others than the protocol's.
        videos: split -> how many videos it has.
        expected: split -> how many the protocol expects, where it says so.
        missing: split -> videos without features.
        all_zero: split -> videos whose features are all zeros.
        sets: split -> how it differs from the set that `set:` of bench.yaml says it is.
    """

    facts: list[str] = field(default_factory=list)
    problems: list[DataError] = field(default_factory=list)
    videos: dict[str, int] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)
    all_zero: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sets: dict[str, SetComparison] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Returns everything, ready for JSON."""
        problems = [f"{type(problem).__name__}: {problem}" for problem in self.problems]
        sets = {split: vars(compared) for split, compared in self.sets.items()}
        return {**vars(self), "sets": sets, "problems": problems, "ok": not self.problems}


def verify(dataset: Dataset, progress: Callable[[int, int], None] = lambda done, total: None) -> DatasetReport:
    """Returns counts, oddities put right, duplicate paragraphs, coverage and identity of the features.

    All rows are looked at, those of a pack compared with their checksums; `progress(bytes done, bytes in all)`.
    """
    report = DatasetReport([f"{dataset.label}: kind {dataset.kind}"])
    for split in dataset.tables:
        for check in (_count, _asked, _cover):
            try:
                check(dataset, split, report)
            except DataError as error:
                report.problems.append(error)
                break
    if dataset.declaration.named_set:
        try:
            _compare_with_set(dataset, report)
        except DataError as error:
            report.problems.append(error)
    if not report.problems:
        try:
            _identify(dataset, report, progress)
        except DataError as error:
            report.problems.append(error)
    return report


def _count(dataset: Dataset, split: str, report: DatasetReport) -> None:
    """Raises: DataError for a split that cannot be read, or that shares videos with train."""
    columns = dataset.columns(split)
    count = report.videos[split] = dataset.count(split)
    sentences = sum(map(len, columns["sentences"]))
    segments = sum(map(len, columns["timestamps"]))
    whole = dataset.declaration.segments == "none" and not segments
    labels = Counter(label for own in columns.get("labels", ()) for label in own)
    said = (
        number_of(sentences, "caption")
        if whole
        else f"{number_of(sentences, 'sentence')}, {number_of(segments, 'segment')}"
    )
    told = [said] if sentences or not labels else []
    told += [f"{number_of(labels.total(), 'label')} of {number_of(len(labels), 'class')}"] if labels else []
    report.facts.append(", ".join([f"{split}: {number_of(count, 'video')}", *told]))
    read = dataset.tables[split]
    report.facts += [f"{split}: read as {read.form}"] if read.form else []
    report.facts.extend(f"{split}: {times:,} {oddity}" for oddity, times in read.oddities.items())
    repeated = sum(times - 1 for told, times in Counter(map(tuple, columns["sentences"])).items() if told)
    if repeated:
        report.facts.append(f"{split}: {repeated:,} times a paragraph that occurred before, kept")
    if split in dataset.expected:
        expected = report.expected[split] = dataset.expected[split]
        if count != expected:
            report.problems.append(
                InvalidData(
                    f"{split} has {number_of(count, 'video')}, the protocol expects {expected:,}. Take the official "
                    f"files, or declare your own split under datasets.{dataset.name}.splits."
                )
            )
    trains = dataset.class_splits[0] if dataset.class_splits else "train"
    if split in ("train", trains) and (groups := groups_of(dataset, split)):
        (name, most), *_ = Counter(groups.values()).most_common(1)
        report.facts.append(
            f"{split}: {number_of(len(set(groups.values())), 'group')}, held out whole; the largest is {name!r}, "
            f"{number_of(most, 'video')}"
        )
    if split not in ("train", trains) and "train" in dataset.tables:
        dataset.check_disjoint(split)


def _asked(dataset: Dataset, split: str, report: DatasetReport) -> None:
    """Raises: DataError for queries or judgements of a test split that cannot be read, or do not belong to it."""
    declaration = dataset.declaration
    if split != declaration.test or not (declaration.queries or declaration.relevance):
        return
    matching = dataset.annotations(split, text=declaration.text).matching
    if declaration.queries:
        report.facts.append(
            f"{split}: {declaration.queries.name} asks {number_of(len(matching.texts), 'query')}, no captions"
        )
    if declaration.relevance:
        grades = [grade for own in read_qrels(declaration.relevance).values() for grade in own.values()]
        right = sorted(grade for grade in grades if grade > 0)
        span = f", graded {right[0]} to {right[-1]}" if right and right[0] < right[-1] else ""
        report.facts.append(
            f"{split}: {declaration.relevance.name} judges {number_of(len(grades), 'pair')}, {len(right):,} of "
            f"them right{span}"
        )
    asked = Counter(place for places in matching.right for place in places)
    answers = [len(places) for places in matching.right]
    report.facts.append(
        f"{split}: {sum(n > 0 for n in answers):,} of {number_of(len(answers), 'text')} have a right video, "
        f"{sum(n > 1 for n in answers):,} of them several; {len(asked):,} of "
        f"{number_of(len(matching.videos), 'video is', 'videos are')} right for a text"
    )


def _cover(dataset: Dataset, split: str, report: DatasetReport) -> None:
    """Raises: DataError for features that cannot be used; missing ones only where the policy is to fail."""
    ids = dataset.columns(split)["video_id"]
    if not ids:  # of a labels.csv that has videos for testing alone
        return
    missing = report.missing[split] = dataset.features.missing(ids)
    policy = dataset.declaration.missing
    present = sorted(set(ids) - set(missing))
    if missing and (policy == "fail" or not present):
        where = f"{split}, features {dataset.declaration.features.name!r}"
        raise missing_videos(where, missing, len(ids), dataset.features.ids())
    rows = dataset.features.lengths(present)
    whose = f"{len(present):,} of {number_of(len(ids), 'video')}, the others: {policy}" if missing else "every video"
    report.facts.append(f"{split}: features of {whose}, {rows.mean():.1f} rows in the mean, {rows.max()} at most")


def _compare_with_set(dataset: Dataset, report: DatasetReport) -> None:
    """Raises: InvalidData where there is no such split, or it is another test than the set it is said to be."""
    name = dataset.declaration.named_set
    split = split_of(dataset, named_set(name))
    if split not in report.videos:  # it cannot be read, which is told already
        return
    compared = report.sets[split] = compare(dataset, split, report.missing.get(split))
    report.facts.append(f"{split}: {compared.fact()}")
    if differences := compared.differences():
        raise InvalidData(
            f"{split} is not {name}: {'; '.join(differences)}. Take the files that `bench info {name}` names, or leave "
            f"out datasets.{dataset.name}.set: figures on these are of another test."
        )


def _identify(dataset: Dataset, report: DatasetReport, progress: Callable[[int, int], None]) -> None:
    for split in dataset.tables:
        dataset.contents(split, progress)
    for split in filter(dataset.count, dataset.tables):
        zero = report.all_zero[split] = tuple(sorted(dataset.all_zero(split)))
        if zero:
            first = ", ".join(zero[:3]) + (", …" if len(zero) > 3 else "")
            zeros = number_of(len(zero), "video has features that are", "videos have features that are")
            report.facts.append(f"{split}: {zeros} all zeros: {first}")
        identity = dataset.feature_identity([split])
        report.facts.append(f"{split}: features sha256 {identity.digest[:16]}…")
    identity = dataset.feature_identity(list(dataset.tables))
    report.facts.append(
        f"features: {identity.extractor}, {identity.dim}-d, stride {identity.stride}, {identity.kind}, "
        f"{_looked_at(dataset)}, sha256 of all splits {identity.digest[:16]}…"
    )
    if isinstance(dataset.features, PackedFeatures):
        dataset.features.check_all(progress)
        header = dataset.features.header
        size = f"{number_of(header.videos, 'video')}, {number_of(header.rows, 'row')} {header.dtype}"
        report.facts.append(f"pack: {size}, every checksum right")
        if header.made is not None:
            told = ", ".join(f"{name} {value}" for name, value in header.made.words().items())
            report.facts.append(f"pack: made from videos: {told}")


def _looked_at(dataset: Dataset) -> str:
    return "every number finite" if isinstance(dataset.features, ExaminedFeatures) else "made up, not looked at"
