"""What a run will do, decided before anything heavy is imported, so that a wrong request fails in a second.

A run's folder is named after what was asked, so the same command finds its own earlier work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from bench.catalogue.lookup import Cell
from bench.errors import MissingData, SaveError, UnsupportedTask, UsageError
from bench.execution import Precision
from bench.files import digest, sha256, slug, taken
from bench.inputs import View
from bench.models import Trainable, Value
from bench.runs import checkpoints
from bench.runs.checkpoints import CheckpointFolder, Ingredients
from bench.runs.examine import examine
from bench.runs.progress import Reporter, Silent
from bench.runs.signing import signed
from bench.runs.weights import Weights, fingerprint, pinned
from bench.tasks.task import AsSigned

if TYPE_CHECKING:
    from bench.data.dataset import TrainingSet

RESULT = "result.json"
STARTED = "config.json"  # the first file of a run, written before anything is computed
BASE = "base."
"""What the user writes before a setting of the model that a model builds on."""


@dataclass(frozen=True)
class Request:
    """What the user asked for beside model and task.

    Attributes:
        output: the folder that holds runs and checkpoints.
        settings: model settings the user chose.
        seed: seeds training and everything random.
        device: `auto`, `cpu`, `cuda` or `cuda:i`.
        precision: `fp32` or `bf16`.
        batch_size: videos or paragraphs per batch when predicting.
        limit: at most this many videos of every split, or None; the result is then partial and never ranked.
        checkpoint: a checkpoint to use instead of fitting.
        word_vectors: GloVe text file, or None for random vectors.
        resume: reuse what an earlier run of the same request left.
        command: what the user typed, for the record.
    """

    output: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    seed: int = 0
    device: str = "auto"
    precision: Precision = "fp32"
    batch_size: int = 64
    limit: int | None = None
    checkpoint: Path | None = None
    word_vectors: Path | None = None
    resume: bool = True
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a run will do: everything decided, nothing computed.

    Attributes:
        settings: every model setting, resolved.
        view: what the model sees; `none` for models that do not look at segments, unless it predicts for each.
        signature: how the numbers will have been made.
        lesson: what the model is trained on; None for a model that does not train.
        checkpoints: where the fitted model lies or will lie; None for a model that does not train.
        base: the plan of the model it builds on; only its fitted form is wanted.
        run, folder: the run's id and where it is written.
        weights: what the model loads.
    """

    cell: Cell
    request: Request
    settings: Mapping[str, Value]
    view: View
    signature: str
    lesson: TrainingSet | None
    checkpoints: CheckpointFolder | None
    base: Plan | None
    run: str
    folder: Path
    weights: Weights

    @property
    def is_base(self) -> bool:
        """True for the plan of a model that another one builds on: nothing is predicted or recorded."""
        return not self.run

    @property
    def finished(self) -> bool:
        return taken(self.folder / RESULT)


def plan(cell: Cell, request: Request, reporter: Reporter | None = None) -> Plan:
    """Returns what `execute` will do. Imports no torch; tells `reporter` while it reads features not read before.

    Raises: UnsupportedTask, UsageError, DataError, SaveError before anything heavy starts.
    """
    spec, task, dataset = cell.spec, cell.task, cell.dataset
    _check(cell, request)
    examine(dataset, _splits(cell), reporter or Silent())
    base = _base(cell, request)
    own = {name: value for name, value in request.settings.items() if not (base and name.startswith(BASE))}
    weights = _weighed(cell, request, own, task.accepts)
    settings = dict(weights.settings)
    lesson = _lesson(cell)
    key = base.checkpoints.ingredients.key if base and base.checkpoints else ""
    folder = _checkpoint_folder(cell, request, weights, lesson, key) if lesson else None
    if base:
        settings = {**settings, **{BASE + name: value for name, value in base.settings.items()}}
    view = _seen(cell, task.view)
    asked: dict[str, object] = {
        "model": [spec.name, spec.revision, dict(settings)],
        "task": [task.name, task.version, dataset.annotation_digest(task.split)],
        "features": dataset.feature_identity([task.split]).digest,
        "weights": _weights(request, folder),
        "run": [request.seed, request.precision, request.limit, request.device],
    }
    if "labelled" in task.support:
        asked["labelled"] = dataset.training_digest(view, request.limit, "labels")
    left_out = dataset.left_out(task.split)
    if left_out:
        asked["missing"] = [dataset.declaration.missing, *sorted(left_out)]
    loaded = [found.digest for found in (weights, base.weights if base else None) if found and found.digest]
    if weights.fingerprint:
        asked["fingerprint"] = weights.fingerprint
    named = signed(cell, request.limit, loaded)
    if isinstance(task, AsSigned):
        asked["signature"] = named  # says which tools of this machine will score, and against which annotations
    run = f"{slug(spec.name)}--{slug(task.name)}--s{request.seed}--{digest(asked)[:8]}"
    if not request.resume:
        run = _unused(request.output, run)
    return Plan(cell, request, settings, view, named, lesson, folder, base, run, request.output / run, weights)


def claimed(plan: Plan) -> Plan:
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


def _answers(cell: Cell) -> bool:
    """True when the model can take the task; one that only serves as a base may not."""
    return any(set(capability.__mro__) & set(cell.task.accepts) for capability in cell.spec.provides)


def _seen(cell: Cell, view: View) -> View:
    asked_for_each = cell.task.per_segment and _answers(cell)
    return view if cell.spec.uses_segments or asked_for_each else View("none", text=view.text)


def _lesson(cell: Cell) -> TrainingSet | None:
    """Returns what the model of a cell is trained on. Raises: UsageError, MissingData when the dataset lacks it."""
    if Trainable not in cell.spec.provides:
        return None
    asks = cell.spec.learns_from
    return cell.dataset.training_set(
        asks, _seen(cell, cell.task.training_view if asks == "paragraphs" else cell.task.view)
    )


def _base(cell: Cell, request: Request) -> Plan | None:
    """Returns the plan of the model that this one builds on, with the settings the user gave as `base.<setting>`."""
    if cell.base is None:
        return None
    chosen = {name.removeprefix(BASE): value for name, value in request.settings.items() if name.startswith(BASE)}
    weights = _weighed(cell.base, replace(request, checkpoint=None), chosen)
    lesson = _lesson(cell.base)
    folder = _checkpoint_folder(cell.base, request, weights, lesson, "") if lesson else None
    own = replace(request, settings=chosen, checkpoint=None)
    view = _seen(cell.base, cell.task.view)
    return Plan(cell.base, own, weights.settings, view, "", lesson, folder, None, "", Path(), weights)


def _weighed(cell: Cell, request: Request, own: Mapping[str, object], accepted: Sequence[type] = ()) -> Weights:
    """Returns every setting of a model with the weights they name pinned down, and what the model itself states."""
    spec = cell.spec
    known = pinned(spec, own)
    chosen = {**own, **known.settings}
    if request.checkpoint:
        settings = checkpoints.settings_from(request.checkpoint, spec, chosen)
    else:
        settings = spec.resolve(cell.dataset.recipe, chosen, accepted)
    found = pinned(spec, settings, known)
    return replace(found, fingerprint=fingerprint(spec, found))


def _weights(request: Request, folder: CheckpointFolder | None) -> str | None:
    """Returns what tells the weights that will predict from others; None for a model without any."""
    if request.checkpoint:
        return checkpoints.file_digest(request.checkpoint)
    return folder.ingredients.key if folder else None


def _check(cell: Cell, request: Request) -> None:
    spec, task = cell.spec, cell.task
    if not _answers(cell):
        needs = " or ".join(capability.__name__ for capability in task.accepts)
        has = ", ".join(capability.__name__ for capability in spec.provides)
        raise UnsupportedTask(f"task {task.name!r} needs a {needs}; model {spec.name!r} provides {has}.")
    if request.limit is not None and request.limit < 1:
        raise UsageError(f"--limit {request.limit}: at least 1 video must be left.")
    if request.batch_size < 1:
        raise UsageError(f"--batch-size {request.batch_size}: must be at least 1.")
    if not 0 <= request.seed < 2**32:
        raise UsageError(f"--seed {request.seed}: must be between 0 and {2**32 - 1}.")
    if request.checkpoint and Trainable not in spec.provides:
        raise UsageError(f"model {spec.name!r} does not train; --checkpoint does nothing. Leave it out.")
    if lesson := _lesson(cell):
        cell.dataset.check_disjoint(task.split, lesson.split)
    if request.word_vectors and not request.word_vectors.is_file():
        raise MissingData(
            f"word vectors {request.word_vectors} do not exist. Fix word_vectors in bench.yaml, or set it to null."
        )
    try:
        request.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(f"cannot write to {request.output}: {error.strerror}. Choose another --output.") from error


def _splits(cell: Cell) -> list[str]:
    """Returns the splits whose features a run uses. Raises: UsageError, MissingData when one is lacking."""
    task = cell.task
    lessons = [_lesson(cell), _lesson(cell.base) if cell.base else None]
    labelled = [cell.dataset.training_set("labels", task.view)] if "labelled" in task.support else []
    return [*(lesson.split for lesson in [*lessons, *labelled] if lesson), task.split]


def _checkpoint_folder(
    cell: Cell, request: Request, weights: Weights, lesson: TrainingSet, base: str
) -> CheckpointFolder:
    spec = cell.spec
    ingredients = Ingredients(
        model=spec.name,
        distribution=cell.distribution.split(" ")[0],
        revision=spec.revision,
        settings={name: weights.settings[name] for name, setting in spec.settings.items() if setting.trained},
        training=cell.dataset.training_digest(lesson.view, request.limit, lesson.lesson),
        max_rows=spec.max_rows,
        word_vectors=sha256(request.word_vectors) if request.word_vectors else "random",
        seed=request.seed,
        precision=checkpoints.ARITHMETIC[request.precision],
        base=base,
        fingerprint=weights.fingerprint,
    )
    return CheckpointFolder(request.output / "checkpoints", ingredients)
