"""From a spec to a model that can predict: imports its code, then fits it, resumes a fit, or loads a checkpoint."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from bench.errors import Interrupted, ModelError, TakenOver, UnsupportedTask
from bench.execution import Execution, State, Training
from bench.files import sha256, write_json
from bench.inputs import TrainingData
from bench.plugins.code import Guard, resolve
from bench.reading.numbers import number_of
from bench.results import Checkpoint
from bench.runs import checkpoints
from bench.runs.checkpoints import CheckpointFolder
from bench.runs.plan import BASE, CHECKPOINT, FitPlan
from bench.runs.progress import Reporter
from bench.runs.ranks import other_ranks


@dataclass(frozen=True)
class Fitted:
    """A model ready to predict.

    Attributes:
        model: the object its loader made.
        checkpoint: what it was restored from or saved as; None for a model that does not train.
        seconds: wall seconds of fitting; 0 when nothing was fitted.
        guard: under which its code runs.
        encoders: those that it was given, by setting.
    """

    model: Any
    checkpoint: Checkpoint | None
    seconds: float
    guard: Guard
    encoders: Mapping[str, Any] = field(default_factory=dict)


def fitted_model(plan: FitPlan, folder: Path, execution: Execution, log: Reporter) -> Fitted:
    """Returns the model of a plan, fitted when no checkpoint has its key yet.

    Where another machine took over a fit, because this process was not heard of, a new model takes what comes of it.

    Args:
        folder: of the run, which keeps what failed in full.

    Raises: ModelError when its code fails; Interrupted after saving the state of an unfinished fit.
    """
    while True:
        try:
            return _fitted_model(plan, folder, execution, log)
        except TakenOver as error:
            log.say(str(error))


def _fitted_model(plan: FitPlan, folder: Path, execution: Execution, log: Reporter) -> Fitted:
    spec = plan.spec
    guard = Guard(spec.name, execution.seed, folder, log, _smaller(plan, execution))
    encoders = plan.weights.opened(execution)
    with guard.during("load"):
        model = resolve(spec.loader)({**plan.weights.given, **encoders}, execution)
    _check_capabilities(plan, model)
    fits, named, seconds = plan.checkpoints, plan.request.checkpoint, 0.0
    if named:
        state, reference = _loaded(plan, named, guard)
    elif fits:
        with fits.held(log.say):  # of several processes that need it one fits it; the others wait and take it
            if not plan.request.resume:
                fits.discard()
            if not fits.model.exists():
                clock = time.perf_counter()
                _fit(plan, fits, model, guard, execution)
                seconds = time.perf_counter() - clock
            state, reference = _loaded(plan, fits.model, guard, "" if seconds else ", fitted before")
    else:
        return Fitted(model, None, 0.0, guard, encoders)
    with guard.during("load its checkpoint"):
        model.load_state(state)  # also right after fitting: what predicts is what was saved
    return Fitted(model, reference, seconds, guard, encoders)


def _loaded(plan: FitPlan, path: Path, guard: Guard, remark: str = "") -> tuple[State, Checkpoint]:
    """Returns the state in a checkpoint, and what the record says of it; `remark` ends the line that is logged."""
    state, made_from, ranks = checkpoints.load_state(path)
    whole = sha256(path)
    guard.log.say(f"checkpoint {path}{remark}")
    reference = Checkpoint(
        key=made_from.key,
        sha256=whole,
        selection=made_from.selection,
        word_vectors=made_from.word_vectors,
        parameters=sum(array.size for array in state.arrays.values()),
        ranks=ranks,
        negatives=_negatives(plan) if ranks else None,
    )
    if plan.task:
        write_json(guard.folder / CHECKPOINT, {"file": str(path), **reference.model_dump()})
    return state, reference


def _negatives(plan: FitPlan) -> int | None:
    """Returns with how many others each item of a full batch was compared, whichever rank had them."""
    batch = plan.settings.get("batch")
    return batch - 1 if isinstance(batch, int) else None


def _smaller(plan: FitPlan, execution: Execution) -> dict[str, str]:
    """Returns what the user can make smaller where memory is not enough, by what the model was doing."""
    batch, rows = plan.settings.get("batch"), execution.batch_size
    smaller = {"": f"smaller settings (`bench info {plan.spec.name}` lists them)"}
    if isinstance(batch, int) and batch > 1:
        name = f"{BASE}batch" if plan.task is None else "batch"
        smaller["fit"] = f"--set {name}={batch // 2} or lower (now {batch})"
    if rows > 1:
        smaller["predict"] = smaller["embed clips and sentences"] = f"--batch-size {rows // 2} or lower (now {rows})"
    return smaller


def _check_capabilities(plan: FitPlan, model: Any) -> None:
    """Raises ModelError for a model that lacks what it declares, UnsupportedTask for settings the task cannot use."""
    spec, task = plan.spec, plan.task
    lacking = [kind for kind in spec.provides if not isinstance(model, kind)]
    owed = [kind for kind in lacking if kind not in spec.by_setting]
    if not owed and spec.by_setting and set(spec.by_setting) <= set(lacking):
        owed = lacking
    if owed:
        raise ModelError(
            f"model {spec.name!r} declares {', '.join(kind.__name__ for kind in owed)} but {spec.loader} does not "
            "implement it. Add the methods, or declare less in its spec."
        )
    if task and not isinstance(model, task.accepts):
        needs = " or ".join(kind.__name__ for kind in task.accepts)
        has = ", ".join(kind.__name__ for kind in spec.provides if kind not in lacking)
        raise UnsupportedTask(
            f"task {task.name!r} needs a {needs}; model {spec.name!r} under these settings provides {has}. "
            f"Change its settings: `bench info {spec.name}` lists them."
        )


def _held_out(data: TrainingData) -> str:
    """Returns what is held out for choosing, and whether that can be taken for an estimate."""
    held = set(data.heldout)
    videos = number_of(len({data.videos.ids[i] for i in held}), "video")
    if not data.groups:
        return f"{videos} held out to choose by; they may share sources with the rest: no estimate of a test"
    groups = len({data.groups[i] for i in held})
    return f"{videos} held out to choose by: {groups:,} whole of {number_of(len(set(data.groups)), 'group')}"


def _fit(plan: FitPlan, folder: CheckpointFolder, model: Any, guard: Guard, execution: Execution) -> None:
    assert plan.training_set is not None  # noqa: S101 (there is a folder for what is fitted)
    dataset, log = plan.dataset, guard.log
    base = fitted_model(plan.base, guard.folder, execution, log).model if plan.base else None
    data = dataset.training(plan.training_set, max_rows=plan.spec.max_rows, limit=plan.request.limit)
    videos = len(set(data.videos.ids))  # a video stands in the data once for each caption that is asked on its own
    captions = f", {number_of(len(data), 'caption')}" if len(data) > videos else ""
    log.say(f"fitting {plan.spec.name} on {number_of(videos, 'video')} of {dataset.label}{captions}")
    if left_out := dataset.left_out(plan.training_set.split):
        log.say(f"{number_of(len(left_out), 'training video')} without features left out")
    if data.groups or folder.ingredients.selection == "held-out":
        log.say(_held_out(data))

    pace = checkpoints.Pace(plan.request.checkpoint_minutes)

    def save(state: State) -> None:
        folder.save_unfinished(state)
        pace.saved()

    with stop_requests() as stop_requested:
        training = Training(
            execution=execution,
            word_vectors=plan.request.word_vectors,
            progress=partial(log.step, "fit"),
            checkpoint=save,
            resume=folder.unfinished,
            stop_requested=stop_requested.is_set,
            base=base,
            checkpoint_due=pace.due,
        )
        with other_ranks(plan, execution), guard.during("fit"):
            model.fit(data, training)
        dataset.check_unchanged()  # else the checkpoint would carry the digest of other features
        folder.save(model.state(), plan.request.ranks)
        if stop_requested.is_set():
            raise Interrupted("stopped after fitting; the model is saved. The same command goes on from here.")


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """Yields an event that Ctrl-C or SIGTERM sets; Ctrl-C after either interrupts at once.

    SIGTERM does not: a cluster may send it twice within a moment, as Slurm does where it takes a job's place.
    """
    requested = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield requested  # only the main thread may install signal handlers
        return

    def on_signal(number: int, frame: FrameType | None) -> None:
        if requested.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        requested.set()

    earlier = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield requested
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
