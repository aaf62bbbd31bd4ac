"""Evidence of a task from outside: named values of each query, and how each is summed up.

Light: nothing here is imported before a task is scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench.results import Evidence, Measurement, Unit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

KIND = "values"
VIDEO = "video"
"""The array that says which video each query belongs to."""
Summary = Literal["mean", "median"]


@dataclass(frozen=True)
class QueryValues:
    """One measurement: a value of each query, and how they become one number.

    Attributes:
        name: of the measurement, such as `R1@0.5`: letters, digits, spaces and ` @._/=<>()%+-`, 60 at most.
        values: (n,) a finite number for each query, in `unit`; all measurements of a task have the queries in one
            order, which must be the same for every model (by opaque id, say).
        summary: `mean`, or `median` (which has no paired test, and no interval where videos have several queries).
        unit: `percent`, `rank` or `score`.
        higher_is_better: whether more is better; None where neither is, as for a length: nothing is marked as its best,
            ranked by it or compared in it. The primary measurement of a task has a direction.
        share: whether a value is a part of 0 to 100 percent, such as a hit or an overlap: then a mean of 0 or 100 is no
            proof that the next query would be like these, and its interval says so (Clopper and Pearson).
    """

    name: str
    values: ArrayLike
    summary: Summary = "mean"
    unit: Unit = "percent"
    higher_is_better: bool | None = True
    share: bool = False


def values_evidence(
    measured: Sequence[QueryValues], pool: str, n_videos: int, videos: Iterable[str | int] | None = None
) -> Evidence:
    """Returns evidence from which bench measures, draws intervals, tests and ranks without the task's plugin.

    Args:
        measured: at least one, in the order of a table's columns.
        pool: digest of the test set, as the annotations have it: equal pools, equal tests.
        n_videos: how many videos the test set has, as `len(annotations)`.
        videos: (n,) the video that each query belongs to, by number or opaque id, queries of one video beside one
            another; left out where each query has a video of its own. Intervals and tests then resample videos.

    Raises: ValueError for values that cannot be evidence, in one line: a mistake of the task.
    """
    from bench.errors import VerificationError
    from bench.evidence.kinds.values import VALUES, arrays_of

    evidence = Evidence(
        counts=arrays_of(measured, videos),
        pool=pool,
        n_items={"videos": n_videos},
        kind=KIND,
        about={"measurements": [_declared(one) for one in measured]},
    )
    try:
        VALUES.check(evidence)
    except VerificationError as error:
        raise ValueError(f"these values cannot be evidence: {error}") from error
    return evidence


def measure(evidence: Evidence) -> tuple[Measurement, ...]:
    """Returns every measurement that follows from evidence of any kind, each with its 95 % interval.

    Raises: VerificationError for evidence of an unknown kind, and where it contradicts itself.
    """
    from bench.evidence.verification import measured

    return measured(evidence)


def _declared(one: QueryValues) -> dict[str, str | bool | None]:
    """Returns what evidence says of one measurement beside its values."""
    return {
        "name": one.name,
        "summary": one.summary,
        "unit": one.unit,
        "higher_is_better": one.higher_is_better,
        "share": one.share,
    }
