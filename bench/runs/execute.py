"""One run, step by step: load or fit the model, predict, save, score, write the result.

A finished run is returned as it is; an interrupted one goes on from its last checkpoint.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench.data.sets.comparing import shrunk_set
from bench.errors import BenchError, TakenOver, UsageError, out_of_memory
from bench.evidence.verified import RESULT
from bench.execution import Execution, check_device
from bench.files import PART, check_takes_records, digest, remove_leftovers, sha256, write_json
from bench.locks import LOCK, Hold, held
from bench.models import Reporting, Spending
from bench.plugins.offers import FinishedRun, RunStart
from bench.reading.numbers import number_of
from bench.results import Checkpoint, Data, Features, File, Missing, Model, Provenance, Result, Said, Spent, TaskName
from bench.runs import provenance
from bench.runs.fit import fitted_model
from bench.runs.given import cut_off
from bench.runs.naming import own_names
from bench.runs.plan import STARTED, RunPlan, claimed
from bench.runs.progress import Reporter, Silent
from bench.runs.watchers import further_columns, watching
from bench.tasks.task import Remarking, Scratch

PREDICTIONS = "predictions"
EVIDENCE = "{run}.evidence.safetensors"  # named after the run, so that evidence of many runs can share a folder
SCRATCH = "tiles"  # finished parts of an unfinished prediction


def execute(plan: RunPlan, reporter: Reporter | None = None) -> Result:
    """Returns the result of a run, computed now or read from an earlier run of the same request.

    While another process runs the same request, this one waits, and takes its result; so does one that was not heard
    of for so long that another machine took over from it.

    Raises: ModelError, DataError, SaveError, VerificationError, Interrupted.
    """
    reporter = reporter or Silent()
    request = plan.request
    if request.resume and plan.finished and not _litter(plan.folder):
        return _earlier(plan, reporter)
    execution = Execution(
        device=chosen_device(request.device),
        precision=request.precision,
        seed=request.seed,
        batch_size=request.batch_size,
        kept=str(request.output),
    )
    if not request.resume:
        plan = claimed(plan)
    while True:
        try:
            return _executed(plan, execution, reporter)
        except TakenOver as error:
            reporter.say(str(error))


def _executed(plan: RunPlan, execution: Execution, reporter: Reporter) -> Result:
    with held(plan.folder / LOCK, reporter.say) as hold:
        remove_leftovers(plan.folder)
        if plan.finished:
            shutil.rmtree(plan.folder / SCRATCH, ignore_errors=True)  # its process was killed after saving the record
            return _earlier(plan, reporter, "the other process completed it" if hold.waited else "already complete")
        check_takes_records(plan.folder)
        started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        write_json(plan.folder / STARTED, _resolved(plan, execution))
        spec, task = plan.cell.spec, plan.cell.task
        start = RunStart(plan.run, plan.folder, spec.name, task.name, plan.fit.settings, execution)
        try:
            with watching(plan.cell.extensions.watchers, start, reporter) as log:
                log.say(f"{started} {plan.run} on {execution.device}")
                result = _run(plan, execution, started, log, hold)
                log.finished(result)
                return result
        except Exception as error:
            if not out_of_memory(error):  # a model's own has been put into words by its guard
                raise
            reason = " ".join(str(error).split()) or "no message"
            raise BenchError(
                f"{plan.run}: memory was not enough to load or to score ({reason}). What is finished is kept. Use "
                "--limit, --device cpu, or a machine with more memory."
            ) from error


def _litter(folder: Path) -> bool:
    """True when a process was killed between saving the record and clearing away, and that can be made good."""
    return os.access(folder, os.W_OK) and ((folder / SCRATCH).exists() or any(folder.glob(f".*{PART}")))


def _earlier(plan: RunPlan, reporter: Reporter, why: str = "already complete") -> Result:
    reporter.say(f"{plan.run}: {why}, reusing it (--no-resume runs it again)")
    return Result.load(plan.folder / RESULT)


def _run(plan: RunPlan, execution: Execution, started: str, log: Reporter, hold: Hold) -> Result:
    """Returns the result of a run, computed now and written. Raises: TakenOver before it would write over another's."""
    cell, request = plan.cell, plan.request
    data = _data(plan)
    if data.missing:
        count = data.missing.videos.get(cell.task.split, 0)
        have = "has" if count == 1 else "have"
        log.say(
            f"{cell.task.split}: {count:,} of {number_of(data.n_expected, 'video')} {have} no features "
            f"({data.missing.policy})"
        )
    for split, count in data.all_zero.items():
        what = "taken for missing" if cell.dataset.declaration.all_zero == "missing" else "used as they are"
        log.say(f"{split}: {number_of(count, 'video')} with features that are all zeros, {what}")
    provenance.watch_memory(execution.device)
    fitted = fitted_model(plan.fit, plan.folder, execution, log)
    seconds = {"fit": round(fitted.seconds, 3)}

    clock = time.perf_counter()
    support = (*cell.task.support, *["pictures"] * cell.spec.reads_pictures)
    inputs = cell.dataset.inputs(
        cell.task.split, plan.view, max_rows=cell.spec.max_rows, limit=request.limit, support=support
    )
    weights = fitted.checkpoint.sha256 if fitted.checkpoint else ""
    scratch = Scratch(plan.folder / SCRATCH, digest([weights, execution.seed, execution.precision]), log.say)
    named = partial(own_names, cell.dataset, cell.task.split, plan.view)
    with named(), fitted.guard.during("predict"), cell.task_code.during("predict", fitted.model):
        predictions = cell.task.predict(fitted.model, inputs, execution, partial(log.step, "predict"), scratch)
        predictions.check(cell.spec.name)
    cell.dataset.check_unchanged()
    plan.fit.check_unchanged()
    cut = cut_off(plan.fit.weights, fitted.encoders, inputs) if fitted.encoders else []
    if isinstance(fitted.model, Reporting):
        with fitted.guard.during("say what it predicted"):
            cut += [f"{cell.spec.name}: {' '.join(line.split())}"[:300] for line in fitted.model.remarks()]
    for line in cut:
        log.say(line)
    spent = Spent()
    if isinstance(fitted.model, Spending):
        with fitted.guard.during("say what it spent"):
            spent = Spent.model_validate(dict(fitted.model.spent()))
    saved = PREDICTIONS + predictions.suffix
    hold.check()
    predictions.save(plan.folder / saved)
    seconds["predict"] = round(time.perf_counter() - clock, 3)

    clock = time.perf_counter()
    evidence = EVIDENCE.format(run=plan.run)
    with named(), cell.task_code.during("score"):
        scored = cell.task.score(predictions, plan.annotations, execution.device)
        primary = scored.ranked_by(cell.task.primary)
        hold.check()
        scored.evidence.save(plan.folder / evidence)
    seconds["score"] = round(time.perf_counter() - clock, 3)
    spent = spent.model_copy(update={"peak_memory": provenance.peak_memory(execution.device)})

    result = Result(
        run=plan.run,
        model=_model(plan, fitted.model),
        task=TaskName(name=cell.task.name, version=cell.task.version, dataset=cell.task.dataset, split=cell.task.split),
        data=data.model_copy(update={"n_evaluated": len(plan.annotations), "remarks": [*data.remarks, *cut]}),
        seed=request.seed,
        status="partial" if request.limit is not None or len(plan.annotations) < data.n_expected else "complete",
        signature=plan.signature,
        primary=primary,
        measurements=list(scored.measurements),
        evidence=File(file=evidence, sha256=sha256(plan.folder / evidence)),
        predictions=Said(file=saved, sha256=sha256(plan.folder / saved), kind=predictions.kind),
        provenance=_provenance(plan, execution, started, seconds, fitted.checkpoint, spent),
    )
    log.say(f"{result.primary} = {result[result.primary].value:.2f}")
    ended = FinishedRun(fitted.model, predictions, result, seconds)
    result = result.model_copy(update={"columns": further_columns(cell.extensions.columns, ended, log)})
    hold.check()
    result.save(plan.folder / RESULT)
    if scratch.folder.exists():
        shutil.rmtree(scratch.folder)
    return result


def chosen_device(asked: str) -> str:
    """Returns the device that `auto`, `cpu`, `cuda` or `cuda:i` names. Raises: UsageError for one that is not there."""
    import torch

    torch.backends.cudnn.allow_tf32 = False  # similarities and embeddings are float32 by protocol
    torch.backends.cuda.matmul.allow_tf32 = False
    available = torch.cuda.device_count() if torch.cuda.is_available() else 0
    check_device(asked)
    if asked == "auto":
        return "cuda:0" if available else "cpu"
    if asked == "cpu":
        return asked
    index = int(asked.partition(":")[2] or 0)
    if index >= available:
        found = number_of(available, "CUDA device")
        raise UsageError(f"--device {asked}: this machine has {found}. Use --device cpu or auto.")
    return f"cuda:{index}"


def _resolved(plan: RunPlan, execution: Execution) -> dict[str, Any]:
    request = plan.request
    return {
        "run": plan.run,
        "model": plan.cell.spec.name,
        "settings": plan.fit.settings,
        "task": plan.cell.task.name,
        "dataset": plan.cell.dataset.label,
        "signature": plan.signature,
        "segments seen by the model": plan.view.segments,
        "execution": {name: value for name, value in execution.__dict__.items() if name != "kept"},
        "limit": request.limit,
        "word_vectors": str(request.word_vectors) if request.word_vectors else None,
        "checkpoint": str(request.checkpoint) if request.checkpoint else None,
        "ingredients": plan.fit.checkpoints.ingredients.as_json() if plan.fit.checkpoints else None,
    }


def _model(plan: RunPlan, model: Any) -> Model:
    spec = plan.cell.spec
    return Model(
        name=spec.name,
        summary=spec.summary,
        paper=spec.paper,
        distribution=plan.cell.distribution,
        revision=spec.revision,
        settings=plan.fit.settings,
        provides=[capability.__name__ for capability in spec.provides if isinstance(model, capability)],
        uses_segments=spec.uses_segments,
        control=spec.control,
        fingerprint=plan.fit.weights.fingerprint,
    )


def _data(plan: RunPlan) -> Data:
    """Returns what will be measured on, every expected video evaluated."""
    task, dataset, split = plan.cell.task, plan.cell.dataset, plan.cell.task.split
    learned = [training.split for training in (plan.fit.training_set, plan.labelled) if training]
    splits = list(dict.fromkeys([*learned, split]))
    identity = dataset.feature_identity([split])
    policy = dataset.declaration.missing
    zeros = {name: len(videos) for name in splits if (videos := dataset.all_zero(name))}
    left_out = {name: len(videos) for name in splits if (videos := dataset.left_out(name))}
    with plan.cell.task_code.during("name its annotations"):
        whole = plan.annotations if plan.request.limit is None else task.annotations(dataset)
        expected = len(whole) + (len(dataset.left_out(split)) if policy == "exclude" else 0)
        remarks = [dataset.declaration.note] if dataset.declaration.note else []
        remarks += task.remarks(dataset) if isinstance(task, Remarking) else ()
    if (shrunk := shrunk_set(dataset, split)) and plan.request.limit is None:
        remarks.append(shrunk.remark())
    return Data(
        kind=dataset.kind,
        label=dataset.label,
        annotations={name: dataset.annotation_digest(name) for name in splits},
        features=Features(
            extractor=identity.extractor,
            dim=identity.dim,
            stride=identity.stride,
            digest=identity.digest,
            made=dict(identity.made),
        ),
        n_expected=expected,
        n_evaluated=expected,
        missing=Missing(policy=policy, videos=left_out) if policy != "fail" and left_out else None,
        all_zero=zeros,
        remarks=remarks,
    )


def _provenance(
    plan: RunPlan,
    execution: Execution,
    started: str,
    seconds: Mapping[str, float],
    checkpoint: Checkpoint | None,
    spent: Spent,
) -> Provenance:
    import torch

    head, dirty = provenance.commit()
    return Provenance(
        command=list(plan.request.command),
        commit=head,
        dirty=dirty,
        versions=provenance.versions(plan.cell.distribution),
        hardware=provenance.hardware(execution.device),
        device=execution.device,
        precision=execution.precision,
        batch_size=execution.batch_size,
        threads=torch.get_num_threads(),
        started=started,
        seconds=dict(seconds),
        checkpoint=checkpoint,
        spent=spent,
    )
