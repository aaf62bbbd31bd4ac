"""How much of a score is which frames were taken: one model on features that differ in their sampler alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

from bench.analysis.compare import ComparedModel, check_comparable, compare_sides
from bench.evidence.comparisons import Paired


@dataclass(frozen=True)
class Sampled:
    """A model under one sampler.

    Attributes:
        sampler: in words.
        side: its runs, one for each seed.
        values: (seeds,) of the measurement.
        against: the same under the first sampler, subtracted video by video; None for the first itself.
    """

    sampler: str
    side: ComparedModel
    values: tuple[float, ...]
    against: Paired | None


def over_samplers(sides: Mapping[str, ComparedModel], metric: str) -> tuple[Sampled, ...]:
    """Returns the runs under each sampler beside those under the first, in one measurement.

    Raises: UsageError for a measurement without a value for each query; VerificationError for other queries.
    """
    (first, base), *others = sides.items()
    sampled = [Sampled(first, base, _values(base, metric), None)]
    for sampler, side in others:
        check_comparable(side, base, across=True)
        (paired,) = compare_sides(side, base, [metric])
        sampled.append(Sampled(sampler, side, _values(side, metric), paired))
    return tuple(sampled)


def share_of_frames(sampled: tuple[Sampled, ...]) -> str:
    """Returns in a sentence how far samplers move the measurement, and how far seeds do."""
    means = {one.sampler: fmean(one.values) for one in sampled}
    low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    line = f"Frames alone move it by {means[high] - means[low]:.2f}, from {low} to {high}"
    spreads = [stdev(one.values) for one in sampled if len(one.values) > 1]
    seeds = f"; seeds deviate by {fmean(spreads):.2f} in the mean" if spreads else "; one seed says nothing of seeds"
    return f"{line}{seeds}. A lead of this size over a model whose frames were taken otherwise may be theirs."


def _values(side: ComparedModel, metric: str) -> tuple[float, ...]:
    return tuple(record.result[metric].value for record in side.records)
