"""Values: what a task from outside found for each query, under names of its own, with how each is summed up.

    NAME    (n,) float64, one value for each query, for each name that `about` declares
    video   (n,) uint32, the query's video, 0, 0, 1, … rising; left out where each query has a video of its own

`about["measurements"]` declares them in order: name, summary (`mean` or `median`), unit, whether higher is better (null
where neither is), and whether a value is a share, a part of 0 to 100 percent. Nothing else is known of them, so nothing
else is checked: the numbers follow from the values, and whether the values follow from predictions only the task can
say.

Where videos have several queries, videos are resampled and compared, each with its queries. A median over queries then
has no interval: better none than one that takes queries of one video for as many videos.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from bench.errors import VerificationError
from bench.evidence.kinds.kind import Kind, UnitValues
from bench.evidence.kinds.wording import tested_by_queries
from bench.evidence.query_values import KIND, VIDEO, QueryValues, Summary
from bench.metrics.statistics import Statistic, interval, of_clusters
from bench.reading.numbers import number_of
from bench.results import MOST, Evidence, Measurement, Result, Unit

LARGEST = 1e12
"""Of a value: twelve digits tell values apart in a paired test."""


class Declared(BaseModel):
    """One measurement as the evidence declares it, see `bench.evidence.query_values.QueryValues`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 @._/=<>()%+-]{0,59}$")]
    summary: Summary
    unit: Unit
    higher_is_better: StrictBool | None
    share: StrictBool


class _Declarations(BaseModel):
    model_config = ConfigDict(extra="forbid")

    measurements: Annotated[list[Declared], Field(min_length=1, max_length=MOST)]


class ValuesKind(Kind):
    """The kind of evidence of tasks that bench does not know."""

    name = KIND

    def holds(self, evidence: Evidence) -> bool:
        return evidence.kind == KIND

    def check(self, evidence: Evidence) -> tuple[Declared, ...]:
        """Returns what the evidence declares. Raises: VerificationError where its arrays are not as declared."""
        try:
            declared = tuple(_Declarations.model_validate(dict(evidence.about)).measurements)
        except ValidationError as error:
            first = error.errors()[0]
            raise VerificationError(
                f"evidence of values declares {'.'.join(map(str, first['loc']))}: {first['msg']}."
            ) from error
        names = [one.name for one in declared]
        if len(set(names)) < len(names) or VIDEO in names or set(names) != set(evidence.counts) - {VIDEO}:
            raise VerificationError(
                f"evidence of values declares {', '.join(names)} and holds {', '.join(sorted(evidence.counts))}."
            )
        for one in declared:
            _check_values(one, evidence.counts[one.name], len(evidence.counts[names[0]]))
        _check_videos(evidence, len(evidence.counts[names[0]]))
        return declared

    def measure(self, evidence: Evidence, named: Iterable[str] = ()) -> tuple[Measurement, ...]:
        declared, sizes = self.check(evidence), _queries_of_videos(evidence)
        return tuple(_measurement(one, evidence.counts[one.name], sizes) for one in declared)

    def pool_size(self, evidence: Evidence) -> int:
        return evidence.n_items["videos"]

    def compared(self, evidence: Evidence) -> tuple[str, ...]:
        return tuple(one.name for one in self.check(evidence) if _is_compared(one))

    def unit_values(self, evidence: Evidence, metric: str) -> UnitValues | None:
        declared = next((one for one in self.check(evidence) if one.name == metric), None)
        if declared is None or not _is_compared(declared):
            return None
        scale = 100.0 if declared.unit == "percent" else 1.0
        values, sizes = evidence.counts[metric] / scale, _queries_of_videos(evidence)
        if sizes is not None:
            values = np.add.reduceat(values, sizes.cumsum() - sizes) * (len(sizes) / len(values))
        farthest = 100.0 if declared.share else np.inf
        return UnitValues(values, declared.unit, bool(declared.higher_is_better), scale, farthest)

    def comparable(self, evidence: Evidence) -> str:
        return super().comparable(evidence) or "another record: this one holds nothing but medians and descriptions"

    def tested(self, result: Result) -> str:
        return tested_by_queries(result)


VALUES = ValuesKind()


def _is_compared(one: Declared) -> bool:
    """Returns whether models are compared in it: a median has no value of each unit, a description no better one."""
    return one.summary == "mean" and one.higher_is_better is not None


def arrays_of(measured: Sequence[QueryValues], videos: Iterable[str | int] | None) -> dict[str, np.ndarray]:
    """Returns the arrays of evidence. Raises: ValueError for queries of one video that stand apart."""
    arrays = {one.name: np.array(one.values, dtype=np.float64) for one in measured}
    if videos is None:
        return arrays
    places: dict[str | int, int] = {}
    numbers = [places.setdefault(video, len(places)) for video in videos]
    apart = next((i for i in range(1, len(numbers)) if numbers[i] < numbers[i - 1]), None)
    if apart is not None:
        raise ValueError(f"query {apart} stands apart from the others of its video. Sort the queries by video.")
    return {**arrays, VIDEO: np.array(numbers, dtype=np.uint32)}


def _check_values(one: Declared, values: np.ndarray, n: int) -> None:
    if values.ndim != 1 or values.dtype != np.float64 or len(values) != n or n < 1:
        wanted = f"float64 ({n or 'n'},)"
        raise VerificationError(f"evidence {one.name} is {values.dtype} {values.shape}; expected {wanted}.")
    bad = np.flatnonzero(~(np.abs(values) <= LARGEST))
    if bad.size:
        raise VerificationError(f"evidence {one.name}: query {bad[0]} has {values[bad[0]]}, no number up to 1e12.")
    if not one.share:
        return
    if one.unit != "percent":
        raise VerificationError(f"evidence {one.name} is a share in {one.unit}; shares are in percent.")
    bad = np.flatnonzero((values < 0.0) | (values > 100.0))
    if bad.size:
        raise VerificationError(f"evidence {one.name}: query {bad[0]} has {values[bad[0]]}, no share of 0 to 100 %.")


def _check_videos(evidence: Evidence, n: int) -> None:
    if set(evidence.n_items) != {"videos"}:
        raise VerificationError(f"evidence of values counts {sorted(evidence.n_items)}; expected videos.")
    asked, size = n, evidence.n_items["videos"]
    if (videos := evidence.counts.get(VIDEO)) is not None:
        if videos.shape != (n,) or videos.dtype != np.uint32:
            raise VerificationError(f"evidence video is {videos.dtype} {videos.shape}; expected uint32 ({n},).")
        steps = np.diff(videos.astype(np.int64), prepend=-1)
        if steps[0] != 1 or not np.isin(steps, (0, 1)).all():
            raise VerificationError("evidence video: videos are not numbered in order from 0.")
        asked = int(videos[-1]) + 1
    if size < asked:
        raise VerificationError(
            f"evidence of values has queries of {number_of(asked, 'video')} in a test set of {size:,}."
        )


def _queries_of_videos(evidence: Evidence) -> np.ndarray | None:
    """Returns (videos,) how many neighbouring queries each video has, or None where each has one."""
    videos = evidence.counts.get(VIDEO)
    if videos is None or int(videos[-1]) + 1 == len(videos):
        return None
    return np.bincount(videos)


def _measurement(one: Declared, values: np.ndarray, sizes: np.ndarray | None) -> Measurement:
    return Measurement(
        name=one.name,
        value=float(np.median(values) if one.summary == "median" else values.mean()),
        unit=one.unit,
        higher_is_better=one.higher_is_better,
        ci95=_interval(one, values, sizes),
        n=len(values),
    )


def _interval(one: Declared, values: np.ndarray, sizes: np.ndarray | None) -> tuple[float, float] | None:
    if one.summary == "median":
        return interval(Statistic(values, summary="median")) if sizes is None else None
    statistic = Statistic(values, share=one.share)
    return interval(statistic if sizes is None else of_clusters(statistic, sizes))
