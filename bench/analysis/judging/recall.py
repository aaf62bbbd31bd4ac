"""Recall of a run with and without what people judged right of its wrong answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from bench.analysis.examples.lists import SHOWN, OpenedRun, Query
from bench.analysis.judging.drawing import DrawnSample, drawn, pairs_of
from bench.analysis.judging.judgements import RIGHT, UNCLEAR, JudgedPair, Judgements, agreed, kappa, together
from bench.errors import InvalidData, UsageError
from bench.metrics.judged_recall import JudgedRecall, JudgedStratum, judged_recall
from bench.metrics.rank_statistics import expected_hits
from bench.reading.outside import shown

DEPTHS = (1, SHOWN)
"""The K of the recalls: all first `SHOWN` are judged."""


@dataclass(frozen=True)
class RecallAtDepth:
    """One recall.

    Attributes:
        k: of R@K.
        annotated: by the annotations alone, percent.
        misses: queries without an annotated answer among the first K that could be judged.
        judged: with what was judged right; None where no query was judged.
        lenient: the same where what is unclear counts as right.
    """

    k: int
    annotated: float
    misses: int
    judged: JudgedRecall | None
    lenient: JudgedRecall | None


@dataclass(frozen=True)
class JudgesAgreement:
    """Two judges on the pairs that both judged: how many, on how many they say the same, and Cohen's kappa."""

    judges: tuple[str, str]
    pairs: int
    alike: int
    kappa: float | None


@dataclass(frozen=True)
class JudgedRun:
    """What judgements make of one direction of a run.

    Attributes:
        sample: what was drawn.
        queries: all of the direction.
        verdicts: how often each was given, over pairs.
        recalls: at each of `DEPTHS`.
        agreements: of every two judges.
    """

    sample: DrawnSample
    queries: int
    verdicts: Mapping[str, int]
    recalls: tuple[RecallAtDepth, ...]
    agreements: tuple[JudgesAgreement, ...]


def judged_run(run: OpenedRun, files: Sequence[Judgements]) -> JudgedRun:
    """Returns the recalls of a run with the judgements of files on one sample of it.

    Raises: UsageError for judgements of another run, or of several samples; InvalidData for pairs outside the sample.
    """
    for file in files:
        if file.evidence != run.result.evidence.sha256:
            raise UsageError(f"{file.path}: judges {shown(file.run)}, which is another run than {run.result.run}.")
        if file.draw != files[0].draw:
            raise UsageError(
                f"{file.path}: judges another sample ({file.draw.count} of {file.draw.direction}, seed "
                f"{file.draw.seed}) than {files[0].path}. Count each sample by itself."
            )
    sample = drawn(run, files[0].draw)
    asked = {(query.name, item) for query in sample.queries for item, _ in pairs_of(query)}
    said = together(files)
    for judge, own in said.items():
        if odd := next((pair for pair in own if pair not in asked), None):
            raise InvalidData(
                f"{shown(judge)} judges {shown(odd[0])} with {shown(odd[1])}, which the sample does not hold. Use the "
                "file that the judging page saved, under the bench.yaml that the page was made with."
            )
    verdicts = agreed(said)
    told = list(verdicts.values())
    return JudgedRun(
        sample=sample,
        queries=len(run.asking[sample.draw.direction]),
        verdicts={verdict: told.count(verdict) for verdict in sorted(set(told))},
        recalls=tuple(_recall(run, sample, verdicts, k) for k in DEPTHS),
        agreements=tuple(_agreement(said, pair) for pair in combinations(sorted(said), 2)),
    )


def _recall(run: OpenedRun, sample: DrawnSample, verdicts: Mapping[JudgedPair, str], k: int) -> RecallAtDepth:
    hits = expected_hits(run.evidence.counts[sample.draw.direction], k).tolist()
    misses = [[place for place in stratum if hits[place] < 1.0] for stratum in sample.strata]
    queries = dict(zip(sample.places, sample.queries, strict=True))
    annotated = 100.0 * sum(hits) / len(hits)

    def counted(right: tuple[str, ...]) -> JudgedRecall | None:
        strata = []
        for stratum in misses:
            found = [(place, _found(queries[place], verdicts, k, right)) for place in stratum if place in queries]
            gains = tuple((1.0 - hits[place]) * hit for place, hit in found if hit is not None)
            strata.append(JudgedStratum(len(stratum), gains))
        return judged_recall(annotated, len(hits), strata)

    return RecallAtDepth(k, annotated, sum(map(len, misses)), counted((RIGHT,)), counted((RIGHT, UNCLEAR)))


def _found(query: Query, verdicts: Mapping[JudgedPair, str], k: int, right: tuple[str, ...]) -> int | None:
    """Returns whether one of the first `k` is right; None where that is not judged.

    They are taken in order up to the first right one: who judged only what looked right has judged nothing.
    """
    for item, place in pairs_of(query):
        if place > k:
            break
        verdict = verdicts.get((query.name, item))
        if verdict is None:
            return None
        if verdict in right:
            return 1
    return 0


def _agreement(said: Mapping[str, Mapping[JudgedPair, str]], judges: tuple[str, str]) -> JudgesAgreement:
    first, second = (said[judge] for judge in judges)
    both = sorted(first.keys() & second.keys())
    verdicts = [first[pair] for pair in both], [second[pair] for pair in both]
    alike = sum(a == b for a, b in zip(*verdicts, strict=True))
    return JudgesAgreement(judges, len(both), alike, kappa(*verdicts))
