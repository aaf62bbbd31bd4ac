"""Curves: the ranks of incomplete videos and paragraphs, at every fraction that is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bench.evidence.kinds.kind import Kind, Line, Shown, UnitValues
from bench.evidence.kinds.wording import head_of, tested_by_queries
from bench.metrics.curves import curve_statistics, curve_values, is_curve, measure_curve
from bench.metrics.names import FRACTIONS, MeasurementName, parse_name, recalls_in
from bench.metrics.retrieval import DIRECTIONS
from bench.results import Evidence, Measurement, Result


class CurvesKind(Kind):
    """The kind of evidence of incomplete retrieval."""

    name = "curves"
    pictures = ("incomplete", "costs", "seeds")
    hub_task = "video-text-retrieval"

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

    def tested(self, result: Result) -> str:
        return tested_by_queries(result)

    def head(self, name: str, text: str) -> tuple[str, str]:
        return head_of(name, text)

    def lines(self, names: Sequence[str], primary: str) -> tuple[Line, ...]:
        """The curves of the primary metric, a line for each direction; records and boards have the others."""
        metric, lines = getattr(parse_name(primary), "metric", ""), dict[str, list[Shown]]()
        for name in filter(None, map(parse_name, names)):
            if name.metric == metric:
                shown = Shown(head_of(str(name))[1], str(name), name.area)
                lines.setdefault(f"{name.direction}/{metric}", []).append(shown)
        return tuple(Line(label, tuple(points)) for label, points in lines.items())

    def curves(self, evidence: Evidence, primary: str) -> Mapping[str, Mapping[float, float]]:
        """The recall of the primary measurement against the share that is kept, in each direction."""
        if (name := parse_name(primary)) is None or not name.of_curve:
            return {}
        measured = curve_statistics(evidence, recalls_in([primary]))
        return {
            f"{way}/{name.metric}": {
                keep: measured[MeasurementName(way, name.metric, keep)].value() for keep in FRACTIONS
            }
            for way in DIRECTIONS
        }
