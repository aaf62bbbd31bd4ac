"""Two models compared, for Python: what `bench compare` prints, for pandas, notebooks and matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.analysis.compare import ComparedModel, check_comparable, compare_sides, find_runs, open_side, side_of
from bench.analysis.videos_of_both import VideosOfBoth, lost_videos, on_videos_of_both
from bench.catalogue.config import load
from bench.catalogue.lookup import Session
from bench.errors import UsageError
from bench.evidence.comparisons import Paired, certain_of
from bench.metrics.comparisons import mean_and_std
from bench.results.shown import Interval, as_frame, as_html, draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

    from bench.leaderboard.loaded import Results


@dataclass(frozen=True)
class ModelComparison:
    """Model A against model B in several measurements, query by query.

    Attributes:
        a, b: the two models, each over its seeds.
        rows: a comparison for each measurement.
        common: the videos that they are compared on, where one of them lost some; else None.
        left_out: why measurements are left out.
    """

    a: ComparedModel
    b: ComparedModel
    rows: tuple[Paired, ...]
    common: VideosOfBoth | None = None
    left_out: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know beside the numbers, a sentence each."""
        return (*([self.common.words()] if self.common else []), *self.left_out)

    def to_pandas(self) -> DataFrame:
        """Returns a data frame with a row for each measurement; `a` and `b` are means over seeds."""
        rows = []
        for one in self.rows:
            (mean_a, std_a), (mean_b, std_b) = map(mean_and_std, one.values)
            low, high = one.comparison.ci95 or (None, None)
            rows.append(
                {
                    "measurement": one.metric,
                    "unit": one.unit,
                    "a": mean_a,
                    "a_std": std_a,
                    "b": mean_b,
                    "b_std": std_b,
                    "difference": one.comparison.difference,
                    "low": low,
                    "high": high,
                    "p_value": one.comparison.p_value,
                    "test": one.comparison.test,
                    "effect_size": one.effect,
                    "wins": one.wins,
                    "losses": one.losses,
                    "ties": one.ties,
                    "n": one.comparison.n,
                }
            )
        return as_frame(rows, ["measurement"])

    def _repr_html_(self) -> str:
        head, rows = ["measurement", "A", "B", "A − B", "95 % interval", "p"], []
        for one in self.rows:
            means = [f"{mean_and_std(values)[0]:.2f}" for values in one.values]
            interval = "{:+.2f} to {:+.2f}".format(*one.comparison.ci95) if one.comparison.ci95 else "–"
            said = [one.metric, *means, f"{one.comparison.difference:+.2f}", interval, f"{one.comparison.p_value:.2g}"]
            rows.append(said)
        return as_html(self._title(), head, rows, numbers_from=1, notes=[self.a.first.signature, *self.notes])

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draws each difference with its 95 % interval and returns the axes; one that covers 0 is shown pale."""
        intervals = []
        for one in self.rows:
            bounds = one.comparison.ci95
            covers = bounds is None or bounds[0] <= 0 <= bounds[1]
            intervals.append(Interval(one.metric, one.comparison.difference, bounds, quiet=covers))
        return draw(intervals, "A − B", self._title(), ax, zero=True)

    def _title(self) -> str:
        return f"A: {self.a.name}, B: {self.b.name}; {self.a.first.task.name} on {self.a.first.data.label}"


def compare_models(
    a: ComparedModel, b: ComparedModel, metrics: Sequence[str] = (), *, across: bool = False, config: Path | None = None
) -> ModelComparison:
    """Returns model A against model B; where one of them lost videos, ranked again on the videos of both.

    Args:
        metrics: measurements to compare in; every recall, or what else can differ, where none is named.
        across: whether they may differ in segments and features.
        config: bench.yaml, which then has to declare the dataset (default: the nearest upwards).

    Raises: UsageError, InvalidData, VerificationError.
    """
    common = None
    if lost_videos(a, b):
        a, b, common = on_videos_of_both(a, b, Session(load(config)))
    check_comparable(a, b, across=across, cut=common is not None)
    rows = tuple(compare_sides(a, b, metrics))
    return ModelComparison(a, b, rows, common, () if metrics else certain_of(a.records[0].evidence))


def side(name: str, runs: str | Results) -> ComparedModel:
    """Returns the runs of a model: as `bench compare` names them, or records that were loaded. Raises: BenchError."""
    if isinstance(runs, str):
        return open_side(find_runs(runs))
    if not runs:
        raise UsageError(f"{name}: there is no record in it.")
    return side_of([entry.record for entry in runs.entries])
