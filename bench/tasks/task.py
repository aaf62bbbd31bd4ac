"""What a task is: a frozen value that names its data and knows how to predict and how to score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from bench.annotations import Annotations, AnnotationSource
from bench.errors import TaskError
from bench.execution import Execution
from bench.inputs import Inputs, View

if TYPE_CHECKING:
    from bench.predictions import Predictions
    from bench.results import Evidence, Measurement

Support = Literal["classes", "labelled", "pairing"]
"""What a task shows beside inputs: names of classes, labelled videos, or which text belongs to which video."""
PAIRING: Support = "pairing"

Progress = Callable[[int, int, Mapping[str, float]], None]
"""`progress(done, total, values)`"""


@dataclass(frozen=True)
class Scored:
    """The outcome of scoring: measurements for people, evidence for recomputing them.

    Attributes:
        primary: the measurement that ranks, where the test set makes it another than the task's.
    """

    measurements: tuple[Measurement, ...]
    evidence: Evidence
    primary: str = ""

    def ranked_by(self, primary: str) -> str:
        """Returns the measurement that ranks: its own, else the task's `primary`.

        Raises: TaskError where that was not measured, or where neither more nor less of it is better.
        """
        name = self.primary or primary
        directions = {measurement.name: measurement.higher_is_better for measurement in self.measurements}
        if name not in directions:
            raise TaskError(
                f"the task's primary measurement {name!r} is not among those it returns: {', '.join(directions)}. Mend "
                "the task, or leave it out."
            )
        if directions[name] is None:
            raise TaskError(
                f"the task's primary measurement is {name!r}, of which neither more nor less is better, so nothing "
                "ranks by it. Mend the task, or leave it out."
            )
        return name


@dataclass(frozen=True)
class Scratch:
    """Where a long prediction keeps its finished parts, so that a killed one goes on from them.

    Attributes:
        folder: a folder of the run; emptied once the run's record is written.
        key: what the parts depend on beside their inputs: the digest of the weights. Parts of another key are redone.
        say: one line worth keeping.
    """

    folder: Path
    key: str
    say: Callable[[str], None]


class Task(Protocol):
    """A task value. `predict` sees inputs only; `score` sees predictions and annotations only."""

    @property
    def name(self) -> str:
        """The full name with its parameters, as users type it: `anet-retrieval:segments=uniform-4`."""

    @property
    def version(self) -> int: ...

    @property
    def summary(self) -> str: ...

    @property
    def dataset(self) -> str: ...

    @property
    def split(self) -> str: ...

    @property
    def view(self) -> View:
        """What models see of the test videos."""

    @property
    def training_view(self) -> View:
        """What models that learn from paragraphs were trained on."""

    @property
    def per_segment(self) -> bool:
        """Whether predictions are one for each segment, so that every model sees the segments of `view`; else a
        model that looks at whole videos only sees the segment source `none`."""

    @property
    def support(self) -> tuple[Support, ...]:
        """What else the inputs hold: `classes` their names, `labelled` training videos with their classes, `pairing`
        which video each text belongs to, for questions inside one video. No retrieval task gets the last."""

    @property
    def answers(self) -> tuple[type[Predictions], ...]:
        """The kinds of predictions that `predict` may return; saved ones are read by them."""

    @property
    def accepts(self) -> tuple[type, ...]:
        """Capabilities, any of which is enough for a model to take the task."""

    @property
    def primary(self) -> str:
        """The measurement that ranks models on a board."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameters users may set in the name, with their values."""

    def with_parameters(self, chosen: Mapping[str, str]) -> Task:
        """Returns the same task under other parameters. Raises: UsageError for one it does not know."""

    def rules(self) -> Mapping[str, str]:
        """The parts of the signature that the task itself decides, such as its tie rule."""

    def predict(
        self, model: Any, inputs: Inputs, execution: Execution, progress: Progress, scratch: Scratch | None = None
    ) -> Predictions:
        """Returns the model's predictions; the caller saves them before anything is scored."""

    def annotations(self, dataset: AnnotationSource, limit: int | None = None) -> Annotations:
        """Returns what the predictions are scored against."""

    def score(self, predictions: Predictions, annotations: Any, device: str) -> Scored:
        """Returns measurements and evidence; a pure function that needs no model."""


@runtime_checkable
class AsSigned(Protocol):
    """A task whose scorers may be one of several that give equal numbers."""

    def as_signed(self, signature: Mapping[str, str]) -> tuple[Task, ...]:
        """Returns the same task under the rules that the parts of a signature name, the lightest scorers first.

        The last ones decide whether a record holds, where lighter ones find that it does not.
        """


@runtime_checkable
class Remarking(Protocol):
    """A task that has something to say beside its score."""

    def remarks(self, dataset: AnnotationSource) -> tuple[str, ...]:
        """Returns what to know beside the score, such as what models had seen of the classes, one line each."""
