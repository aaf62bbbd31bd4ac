"""Curves: the ranks of incomplete videos and paragraphs, at every fraction that is kept."""

from __future__ import annotations

from collections.abc import Iterable

from bench.evidence.kinds.kind import Kind, UnitValues
from bench.metrics.curves import curve_statistics, curve_values, is_curve, measure_curve
from bench.metrics.names import parse_name, recalls_in
from bench.results import Evidence, Measurement


class Curves(Kind):
    """The kind of evidence of incomplete retrieval."""

    name = "curves"

    def holds(self, evidence: Evidence) -> bool:
        return evidence.kind == "ranks" and is_curve(evidence)

    def measure(self, evidence: Evidence, named: Iterable[str] = ()) -> tuple[Measurement, ...]:
        return measure_curve(evidence, named)

    def pool_size(self, evidence: Evidence) -> int:
        return evidence.n_items[min(evidence.n_items)]

    def compared(self, evidence: Evidence) -> tuple[str, ...]:
        return tuple(map(str, curve_statistics(evidence)))

    def unit_values(self, evidence: Evidence, metric: str) -> UnitValues | None:
        name = parse_name(metric)
        if name is None or not name.of_curve or name not in curve_statistics(evidence, recalls_in([metric])):
            return None
        return UnitValues(curve_values(evidence, name))

    def comparable(self, evidence: Evidence) -> str:
        return f"{', '.join(self.compared(evidence))}, or R@K for any other K"
