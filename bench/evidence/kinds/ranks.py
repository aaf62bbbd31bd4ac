"""Ranks: for each query of retrieval, how many items score above and equal to its right one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from bench.evidence.kinds.kind import Kind, UnitValues, ranks_of_units
from bench.evidence.kinds.wording import head_of, tested_by_queries
from bench.metrics.curves import is_curve
from bench.metrics.rank_statistics import DEFAULT, FORMS, KS, expected_hits, statistic_of
from bench.metrics.retrieval import (
    DIRECTIONS,
    directions_of,
    full_name,
    hit_rule,
    measure,
    metric_in,
    owners_of,
)
from bench.metrics.right_items import is_companion, right_items_of
from bench.results import Evidence, Measurement, Result

DEPTHS = (1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 38, 50)
"""The K of a curve of recalls."""


def _lacks_right_items(evidence: Evidence, direction: str) -> bool:
    return bool(hit_rule(evidence.counts[direction])) and right_items_of(evidence, direction) is None


class RanksKind(Kind):
    """The kind of evidence of retrieval."""

    name = "ranks"
    pictures = ("recall", "costs", "seeds")
    hub_task = "video-text-retrieval"

    def holds(self, evidence: Evidence) -> bool:
        return evidence.kind == "ranks" and not is_curve(evidence)

    def measure(self, evidence: Evidence, named: Iterable[str] = ()) -> tuple[Measurement, ...]:
        return measure(evidence, named)

    def pool_size(self, evidence: Evidence) -> int:
        return evidence.n_items[min(evidence.n_items)]

    def compared(self, evidence: Evidence) -> tuple[str, ...]:
        ways = directions_of(evidence)
        return tuple(full_name(way, f"{hit_rule(evidence.counts[way])}R@{k}") for way in ways for k in KS)

    def unit_values(self, evidence: Evidence, metric: str) -> UnitValues | None:
        for direction in directions_of(evidence):
            counts = evidence.counts[direction]
            asked = metric_in(metric, direction, hit_rule(counts)) or metric_in(metric, direction)
            statistic = asked and statistic_of(counts, asked, right_items_of(evidence, direction))
            if asked and statistic and statistic.summary == "mean":
                values = statistic.values if asked.in_ranks else statistic.values / 100.0
                if (owners := owners_of(evidence, direction)) is not None:
                    sizes = np.bincount(owners)
                    sums = np.add.reduceat(values[np.argsort(owners, kind="stable")], sizes.cumsum() - sizes)
                    values = np.asarray(sums * (len(sizes) / len(values)), dtype=np.float64)
                return ranks_of_units(values) if asked.in_ranks else UnitValues(values)
        return None

    def certain(self, evidence: Evidence, metric: str) -> str:
        for direction in directions_of(evidence):
            asked, n_items = (
                metric_in(metric, direction, hit_rule(evidence.counts[direction])),
                evidence.n_items[direction],
            )
            if asked in DEFAULT and asked.k >= n_items:  # whoever asks for another K gets it
                return f"{metric} says nothing here: all of {n_items:,} ranked are among the first {asked.k:,}."
        return ""

    def comparable(self, evidence: Evidence) -> str:
        lacking = [way for way in DIRECTIONS if way in evidence.counts and _lacks_right_items(evidence, way)]
        known = f"{', '.join(self.compared(evidence))}; in their place any other of {FORMS}, but MedR"
        if not lacking:
            return known
        return (
            f"{known}. P@K and nDCG@K of {' and '.join(lacking)}: this record is from before the evidence kept every "
            "right answer; `bench rescore --write RUN` counts them"
        )

    def tested(self, result: Result) -> str:
        return tested_by_queries(result)

    def head(self, name: str, text: str) -> tuple[str, str]:
        return head_of(name, text)

    def curves(self, evidence: Evidence, primary: str) -> Mapping[str, Mapping[float, float]]:
        """Recall against K in each direction."""
        counts = {full_name(way, "R@K"): evidence.counts[way] for way in DIRECTIONS if way in evidence.counts}
        return {name: {k: 100.0 * expected_hits(of, k).mean() for k in DEPTHS} for name, of in counts.items()}

    def as_kept(self, evidence: Evidence, older: Evidence) -> Evidence:
        kept = {k: v for k, v in evidence.counts.items() if k in older.counts or not is_companion(k, DIRECTIONS)}
        return replace(evidence, counts=kept)
