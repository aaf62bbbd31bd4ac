"""Two models against one another, unit by unit, from their evidence alone: difference, interval, test, effect size.

Several seeds of a model are averaged unit by unit first, so that a test speaks about the model and not about one
training; how much seeds differ is reported apart. A unit is a query; where a video has several, it is the video: its
captions are easy or hard together, and counting them one by one would claim more than was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.errors import UsageError
from bench.evidence.kinds import UnitValues, kind_of
from bench.metrics.statistics import Comparison, compare
from bench.reading.numbers import number_of
from bench.results import Evidence, Unit


@dataclass(frozen=True)
class Paired:
    """Model A against model B in one measurement.

    Attributes:
        metric: its name, such as `t2v/R@1`.
        unit: of the values.
        values: (seeds of A,) and (seeds of B,) values of the measurement, one per run.
        comparison: difference A minus B with interval and p-value, in `unit`.
        effect: the difference in standard deviations of the paired differences (Cohen's d_z); None where these do not
            vary.
        wins, losses, ties: units in which A is better, B is better, and neither.
    """

    metric: str
    unit: Unit
    values: tuple[tuple[float, ...], tuple[float, ...]]
    comparison: Comparison
    effect: float | None
    wins: int
    losses: int
    ties: int


def metrics_of(evidence: Evidence) -> tuple[str, ...]:
    """Returns the measurements in which models are compared where nobody says in which: those that can differ."""
    kind = kind_of(evidence)
    names = kind.compared(evidence)
    return tuple(name for name in names if not kind.certain(evidence, name)) or names


def certain_of(evidence: Evidence) -> tuple[str, ...]:
    """Returns why others are left out, a sentence for each."""
    kind = kind_of(evidence)
    reasons = {name: kind.certain(evidence, name) for name in kind.compared(evidence)}
    return tuple(why for name, why in reasons.items() if why and name not in metrics_of(evidence))


def has_values(evidence: Evidence, metric: str) -> bool:
    """Returns whether a measurement is a mean over units with a direction, so that models can be compared in it."""
    return kind_of(evidence).unit_values(evidence, metric) is not None


def values_of(evidence: Evidence, metric: str) -> UnitValues:
    """Returns what each unit adds to `metric`. Raises: UsageError when it has no value for each unit."""
    kind = kind_of(evidence)
    if (values := kind.unit_values(evidence, metric)) is None:
        raise UsageError(
            f"metric {metric!r} has no value for each query or video to compare, or neither more nor less of it is "
            f"better. Use {kind.comparable(evidence)}."
        )
    return values


def paired(first: Sequence[Evidence], second: Sequence[Evidence], metric: str) -> Paired:
    """Returns model A against model B, each over one or several seeds on the same queries in the same order.

    Raises: UsageError for a metric that cannot be compared.
    """
    sides = [[values_of(evidence, metric) for evidence in side] for side in (first, second)]
    what = sides[0][0]
    a, b = ([seed.values for seed in side] for side in sides)
    units = sorted({len(values) for values in (*a, *b)})
    if len(units) > 1:
        raise UsageError(
            f"{metric} is resampled over {number_of(units[0], 'video')} in some of these records and over "
            f"{number_of(units[1], 'query')} in others, which are from before evidence said whose a query is. `bench "
            "rescore --write RUN` makes these again; compare the new ones."
        )
    compared = compare(a, b)
    bounds = compared.ci95
    if bounds is not None:
        low, high = (min(max(what.scale * end, -what.farthest), what.farthest) for end in bounds)
        bounds = low, high
    differences = np.mean(np.stack(a), axis=0) - np.mean(np.stack(b), axis=0)
    spread = float(differences.std(ddof=1)) if len(differences) > 1 else 0.0
    better = differences if what.higher_is_better else -differences
    wins, losses = int((better > 1e-12).sum()), int((better < -1e-12).sum())
    return Paired(
        metric=metric,
        unit=what.unit,
        values=(tuple(what.scale * float(v.mean()) for v in a), tuple(what.scale * float(v.mean()) for v in b)),
        comparison=Comparison(
            difference=what.scale * compared.difference,
            ci95=bounds,
            p_value=compared.p_value,
            test=compared.test,
            n=compared.n,
        ),
        effect=compared.difference / spread if spread > 1e-12 else None,
        wins=wins,
        losses=losses,
        ties=len(differences) - wins - losses,
    )
