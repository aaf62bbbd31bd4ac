"""What a run will do, decided before anything heavy is imported, so that a wrong request fails in a second.

A run's folder is named after what was asked, so the same command finds its own earlier work. The test set is opened
here, once: the signature names it, and `execute` hands it to the task when the predictions are saved. A model gets the
plan of its fit (`FitPlan`), which knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from bench.annotations import Annotations
from bench.catalogue.lookup import RunCell
from bench.catalogue.weights import Weights
from bench.data import lessons
from bench.data.features.durable import readable
from bench.errors import SaveError, UnsupportedTask, UsageError
from bench.evidence.verified import RESULT
from bench.files import digest, slug, taken
from bench.inputs import View
from bench.models import ModelSpec, Trainable, Value
from bench.runs import checkpoints
from bench.runs.checkpoints import CheckpointFolder
from bench.runs.given import check_features, ingredients_of, weights_of
from bench.runs.progress import Reporter, Silent
from bench.runs.ranks import check_ranks
from bench.runs.request import Request
from bench.runs.signing import signed
from bench.tasks.task import AsSigned, Task

if TYPE_CHECKING:
    from bench.data.dataset import Dataset
    from bench.data.lessons import TrainingSet

STARTED = "config.json"  # the first file of a run, written before anything is computed
CHECKPOINT = "checkpoint.json"  # names the checkpoint that a run predicted with
MB = 10**6
BASE = "base."
"""What the user writes before a setting of the model that a model builds on."""


@dataclass(frozen=True)
class FitPlan:
    """How a model comes to predict: everything decided, nothing computed.

    Attributes:
        dataset: what it is fitted on belongs to it.
        task: what it will be asked; None for a model that only serves as a base.
        request: what the user asked for; of a base, its own settings and no checkpoint.
        weights: its own settings, resolved, with what it loads.
        training_set: what it is fitted on; None for a model that does not train.
        checkpoints: where the fitted model lies or will lie; None for a model that does not train.
        base: the fit of the model it builds on.
    """

    spec: ModelSpec
    dataset: Dataset
    task: Task | None
    request: Request
    weights: Weights
    training_set: TrainingSet | None
    checkpoints: CheckpointFolder | None
    base: FitPlan | None = None

    @property
    def settings(self) -> dict[str, Value]:
        """Every setting, those of the base as `base.<setting>`."""
        base = self.base.settings if self.base else {}
        return {**self.weights.settings, **{BASE + name: value for name, value in base.items()}}

    @property
    def loaded(self) -> list[str]:
        """What tells all that it and its base load from others; [] where nothing is loaded."""
        return [*([self.weights.digest] if self.weights.digest else []), *(self.base.loaded if self.base else [])]

    def predicts_with(self) -> str | None:
        """What tells the weights that will predict from others; None for a model without any."""
        if self.request.checkpoint:
            return checkpoints.file_digest(self.request.checkpoint)
        return self.checkpoints.ingredients.key if self.checkpoints else None

    def check_unchanged(self) -> None:
        """Raises InvalidData when a file that was loaded is not what it was when its digest was taken."""
        self.weights.check_unchanged()
        if self.base:
            self.base.check_unchanged()


@dataclass(frozen=True)
class RunPlan:
    """What a run will do: everything decided, nothing computed.

    Attributes:
        fit: how its model comes to predict.
        view: what the model sees; `none` for models that do not look at segments, unless it predicts for each.
        labelled: the training videos with classes that the task hands out; None unless it does.
        annotations: what the predictions will be scored against; no model is given it.
        signature: how the numbers will have been made.
        run, folder: the run's id and where it is written.
    """

    cell: RunCell
    request: Request
    fit: FitPlan
    view: View
    labelled: TrainingSet | None
    annotations: Annotations
    signature: str
    run: str
    folder: Path

    @property
    def finished(self) -> bool:
        return taken(self.folder / RESULT)


def plan(cell: RunCell, request: Request, reporter: Reporter | None = None) -> RunPlan:
    """Returns what `execute` will do. Imports no torch; tells `reporter` while it reads features not read before.

    Raises: UnsupportedTask, UsageError, DataError, SaveError before anything heavy starts.
    """
    spec, task, dataset = cell.spec, cell.task, cell.dataset
    _check(cell, request)
    view = _seen(cell, task.view)
    trained_on = _training_set(cell, request)
    base_trained_on = _training_set(cell.base, request) if cell.base else None
    labelled = lessons.training_set(dataset, "labels", view) if "labelled" in task.support else None
    used = [learned.split for learned in (trained_on, base_trained_on, labelled) if learned]
    for split in dict.fromkeys(used):
        dataset.check_disjoint(task.split, split)
    request.check_places()
    _examine(dataset, [*used, task.split], reporter or Silent())
    base = _base_fit(cell.base, request, base_trained_on) if cell.base else None
    fit = _fit(cell, task, request, trained_on, base)
    check_ranks(fit)
    check_features(cell, fit.weights)
    asked: dict[str, object] = {
        "model": [spec.name, spec.revision, fit.settings],
        "task": [task.name, task.version, dataset.annotation_digest(task.split)],
        "features": dataset.feature_identity([task.split]).digest,
        "weights": fit.predicts_with(),
        "run": [request.seed, request.precision, request.limit, request.device],
    }
    if labelled:
        asked["labelled"] = dataset.training_digest(labelled, request.limit)
    if left_out := dataset.left_out(task.split):
        asked["missing"] = [dataset.declaration.missing, *sorted(left_out)]
    if fit.weights.fingerprint:
        asked["fingerprint"] = fit.weights.fingerprint
    with cell.task_code.during("name its annotations"):
        annotations = task.annotations(dataset, request.limit)
    signature = signed(cell, annotations, labelled, request.limit, fit.loaded)
    if isinstance(task, AsSigned):
        asked["signature"] = signature  # says which tools of this machine will score, and against which annotations
    run = f"{slug(spec.name)}--{slug(task.name)}--s{request.seed}--{digest(asked)[:8]}"
    if not request.resume:
        run = _unused(request.output, run)
    return RunPlan(cell, request, fit, view, labelled, annotations, signature, run, request.output / run)


def _examine(dataset: Dataset, splits: Iterable[str], reporter: Reporter) -> None:
    """Looks at the features of `splits`. Raises: DataError for features that cannot be used, naming their videos."""
    for split in dict.fromkeys(splits):
        reading = _Reading(reporter)
        dataset.contents(split, reading)
        if reading.total:
            size = readable(reading.total)
            reporter.say(f"{dataset.label}: all features of {split} were read for their digest ({size})")


@dataclass
class _Reading:
    """Passes on how much is read; `total` is 0 where nothing had to be."""

    reporter: Reporter
    total: int = 0

    def __call__(self, done: int, total: int) -> None:
        self.total = total
        self.reporter.step("read features (MB)", done // MB, total // MB, {})


def claimed(plan: RunPlan) -> RunPlan:
    """Returns the plan of a run that reuses nothing, in a folder that it has just made and nobody else has.

    Raises: SaveError when no folder can be made.
    """
    while True:
        try:
            plan.folder.mkdir(parents=True)
        except FileExistsError:
            first, dashes, last = plan.run.rpartition("--")
            run = _unused(plan.request.output, f"{first}{dashes}{last.partition('-')[0]}")
            plan = replace(plan, run=run, folder=plan.request.output / run)
        except OSError as error:
            raise SaveError(f"cannot write to {plan.folder}: {error.strerror}. Choose another --output.") from error
        else:
            return plan


def _unused(output: Path, run: str) -> str:
    """Returns `run`, or with a number behind it where that folder is there already."""
    names = (f"{run}-{number}" if number > 1 else run for number in count(1))
    return next(name for name in names if not (output / name).exists())


def _answers(cell: RunCell) -> bool:
    """True when the model can take the task; one that only serves as a base may not."""
    return any(set(capability.__mro__) & set(cell.task.accepts) for capability in cell.spec.provides)


def _seen(cell: RunCell, view: View) -> View:
    asked_for_each = cell.task.per_segment and _answers(cell)
    return view if cell.spec.uses_segments or asked_for_each else View("none", text=view.text)


def _training_set(cell: RunCell, request: Request) -> TrainingSet | None:
    """Returns what the model of a cell is fitted on; None where nothing is, or a checkpoint on other data.

    Raises: UsageError, MissingData when the dataset lacks it.
    """
    if Trainable not in cell.spec.provides:
        return None
    lesson = cell.spec.learns_from
    if request.checkpoint and not cell.dataset.trains(lesson):
        return None
    view = cell.task.training_view if lesson == "paragraphs" else cell.task.view
    return lessons.training_set(cell.dataset, lesson, _seen(cell, view))


def _base_fit(cell: RunCell, request: Request, training_set: TrainingSet | None) -> FitPlan:
    """Returns the fit of the model that another one builds on, with the settings the user gave as `base.<setting>`."""
    chosen = {name.removeprefix(BASE): value for name, value in request.settings.items() if name.startswith(BASE)}
    return _fit(cell, None, replace(request, settings=chosen, checkpoint=None), training_set, None)


def _fit(
    cell: RunCell, task: Task | None, request: Request, training_set: TrainingSet | None, base: FitPlan | None
) -> FitPlan:
    own = {name: value for name, value in request.settings.items() if not (base and name.startswith(BASE))}
    weights = weights_of(cell, request, own, task)
    folder = None
    if training_set:
        made_from = ingredients_of(cell, request, weights, training_set)
        if base and base.checkpoints:
            made_from = replace(made_from, base=base.checkpoints.ingredients.key)
        folder = CheckpointFolder(request.output / "checkpoints", made_from)
    return FitPlan(cell.spec, cell.dataset, task, request, weights, training_set, folder, base)


def _check(cell: RunCell, request: Request) -> None:
    """Raises UnsupportedTask or UsageError for what cannot be run, whatever the data."""
    spec, task = cell.spec, cell.task
    if not _answers(cell):
        needs = " or ".join(capability.__name__ for capability in task.accepts)
        has = ", ".join(capability.__name__ for capability in spec.provides)
        raise UnsupportedTask(f"task {task.name!r} needs a {needs}; model {spec.name!r} provides {has}.")
    request.check()
    if spec.reads_pictures:
        from bench.data.pictures import check_pictured

        check_pictured(cell.dataset, spec.name)
    if spec.dim not in (0, cell.dataset.features.dim):
        declared = cell.dataset.declaration.features.name
        raise UnsupportedTask(
            f"model {spec.name!r} reads features of {spec.dim:,} numbers per row; {declared!r} of dataset "
            f"{cell.dataset.name!r} has {cell.dataset.features.dim:,}. Declare others: `bench info {spec.name}`."
        )
    if request.checkpoint and Trainable not in spec.provides:
        raise UsageError(f"model {spec.name!r} does not train; --checkpoint does nothing. Leave it out.")
