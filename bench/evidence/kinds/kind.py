"""What a kind of evidence is to everything above it: one object that reads, measures, counts and compares it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.evidence.kinds.wording import plain_head
from bench.reading.numbers import number_of
from bench.results import Evidence, Measurement, Result, Unit

if TYPE_CHECKING:
    import numpy as np

    from bench.metrics.confusions import ClassRow, Confusion


@dataclass(frozen=True)
class UnitValues:
    """What each unit adds to a measurement: a query, or a video with its queries where a video has several.

    Attributes:
        values: (units,) float64 whose mean is the measurement divided by `scale`; hits and shares lie in 0 to 1.
        unit: of the measurement.
        higher_is_better: whether more is better.
        scale: what 1 in `values` is in `unit`.
        farthest: no difference of two such measurements is larger, in `unit`.
    """

    values: np.ndarray
    unit: Unit = "percent"
    higher_is_better: bool = True
    scale: float = 100.0
    farthest: float = 100.0


@dataclass(frozen=True)
class Shown:
    """A measurement on a terminal: the head of its column, its name, and whether its interval is shown."""

    head: str
    name: str
    interval: bool


@dataclass(frozen=True)
class Line:
    """A line of a record on a terminal: what tells it from the record's other lines, and what it shows."""

    label: str
    shown: tuple[Shown, ...]


def ranks_of_units(values: np.ndarray) -> UnitValues:
    """Returns ranks, counted from 1 (units,), as what each unit adds to their mean."""
    return UnitValues(values, "rank", higher_is_better=False, scale=1.0, farthest=math.inf)


class Kind(ABC):
    """A kind of evidence. All that is asked of evidence is asked through the one object of its kind."""

    name: ClassVar[str]
    """What an error calls it."""
    pictures: ClassVar[tuple[str, ...]] = ("costs", "seeds")
    """The kinds of pictures that a table of such evidence gets, in order (`bench.leaderboard.pictures.charts`)."""
    hub_task: ClassVar[str] = "video-to-text"
    """What the Hugging Face Hub calls a task that is measured so."""

    @abstractmethod
    def holds(self, evidence: Evidence) -> bool:
        """Returns whether the evidence is of this kind, whole or not."""

    @abstractmethod
    def measure(self, evidence: Evidence, named: Iterable[str] = ()) -> tuple[Measurement, ...]:
        """Returns every measurement that follows, among them those of `named` that do, after checking the evidence.

        Raises: VerificationError where it contradicts itself.
        """

    @abstractmethod
    def pool_size(self, evidence: Evidence) -> int:
        """Returns how large the test set is, as signatures say it: in videos (of a TREC run: documents)."""

    @abstractmethod
    def compared(self, evidence: Evidence) -> tuple[str, ...]:
        """Returns the measurements in which two models are compared where nobody says in which."""

    @abstractmethod
    def unit_values(self, evidence: Evidence, metric: str) -> UnitValues | None:
        """Returns what each unit adds to `metric`, or None where it is no mean over units, not measured, or where
        neither more nor less of it is better."""

    def comparable(self, evidence: Evidence) -> str:
        """Returns, in words for an error, which measurements have a value for each unit."""
        return ", ".join(self.compared(evidence))

    def certain(self, evidence: Evidence, metric: str) -> str:
        """Returns why `metric`, shown unasked, is the same for every model on this test set, or nothing."""
        return ""

    def tested(self, result: Result) -> str:
        """Returns how large the test of a record was, in words: `500 videos`."""
        return number_of(result.data.n_evaluated, "video")

    def head(self, name: str, text: str) -> tuple[str, str]:
        """Returns the group of a table's column and what it is called there; `text` is what a signature calls one."""
        return plain_head(name)

    def lines(self, names: Sequence[str], primary: str) -> tuple[Line, ...]:
        """Returns how the measurements `names` of one record stand on a terminal: one line, or several with a label."""
        return (Line("", tuple(Shown(name, name, name == primary) for name in names)),)

    def curves(self, evidence: Evidence, primary: str) -> Mapping[str, Mapping[float, float]]:
        """Returns name -> place on the axis -> percent of every curve that is drawn; `primary` is the table's."""
        return {}

    def confusions(self, evidence: Evidence) -> list[Confusion] | None:
        """Returns which classes were taken for which, the most frequent first; None where no classes are scored."""
        return None

    def class_rows(self, evidence: Evidence) -> list[ClassRow]:
        """Returns how each class fared; [] where no classes are scored."""
        return []

    def as_kept(self, evidence: Evidence, older: Evidence) -> Evidence:
        """Returns `evidence` without what a bench of the time of `older` did not keep, so that the two can be equal."""
        return evidence
