"""bench: protocol-exact, hierarchical and statistically honest benchmarks for video-and-text models.

From Python: `bench.run(model="hse", task="anet-retrieval")["t2v/R@1"].value`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.execution import Precision
    from bench.files import PathLike
    from bench.results import Result
    from bench.runs.progress import Reporter

__version__ = "0.1.0"
__all__ = ["__version__", "rescore", "run"]


def run(
    model: str,
    task: str,
    *,
    settings: Mapping[str, object] | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: Precision = "fp32",
    batch_size: int = 64,
    limit: int | None = None,
    checkpoint: PathLike | None = None,
    output: PathLike | None = None,
    resume: bool = True,
    checkpoint_every: float | str = 5,
    config: PathLike | None = None,
    reporter: Reporter | None = None,
) -> Result:
    """Returns the result of one model on one task, as `bench run` would.

    Args:
        model: its name, as `bench list models` shows it.
        task: its name, with parameters after ':'.
        settings: model settings by name, such as {"hidden": 256}; `base.NAME` for the model that it builds on.
        seed: seeds training and everything random.
        device: `auto`, `cpu`, `cuda` or `cuda:i`.
        precision: `fp32` or `bf16`.
        batch_size: videos or paragraphs per batch when predicting.
        limit: at most this many videos of every split; the result is then partial and never ranked.
        checkpoint: a model.safetensors to use instead of fitting.
        output: where runs are written (default: `runs` of bench.yaml).
        resume: reuse what an earlier run of the same request left.
        checkpoint_every: minutes between two saves of an unfinished fit, or `epoch` for one after each.
        config: bench.yaml to use (default: the nearest upwards).
        reporter: told what happens; its methods are those of `bench.runs.progress.Reporter`.

    Paths may be text or path objects.

    Raises: BenchError; its `exit_code` is what the command line would return.
    """
    arguments = dict(locals())  # the arguments and nothing else, as long as this stands first
    del arguments["reporter"]
    from dataclasses import replace

    from bench.catalogue.config import load
    from bench.catalogue.lookup import Session
    from bench.runs import arguments as given
    from bench.runs import execute as runner
    from bench.runs import plan as planning
    from bench.runs.checkpoints import minutes_between
    from bench.runs.request import Request

    session = Session(load(given.as_optional_path("config", config)))
    request = replace(
        Request.under(session.config, given.as_optional_path("output", output)),
        settings=given.as_settings("settings", settings),
        seed=given.as_whole("seed", seed),
        device=given.as_text("device", device, "cuda:0"),
        precision=given.as_choice("precision", precision, ("fp32", "bf16")),
        batch_size=given.as_whole("batch_size", batch_size),
        limit=None if limit is None else given.as_whole("limit", limit),
        checkpoint=given.as_optional_path("checkpoint", checkpoint),
        resume=given.as_flag("resume", resume),
        checkpoint_minutes=minutes_between(checkpoint_every),
        command=(given.call("bench.run", arguments, run.__kwdefaults__),),
    )
    cell = session.cell(given.as_text("model", model, "random"), given.as_text("task", task, "anet-retrieval"))
    told = None if reporter is None else given.as_reporter("reporter", reporter)
    return runner.execute(planning.plan(cell, request, told), told)


def rescore(folder: PathLike, *, config: PathLike | None = None) -> Result:
    """Returns the record of a run's folder after scoring its predictions again.

    Args:
        folder: of the run; text or a path object.
        config: bench.yaml to use (default: the nearest upwards).

    Raises: BenchError; VerificationError when anything differs from what the record says.
    """
    from bench.catalogue.config import load
    from bench.catalogue.lookup import Session
    from bench.evidence.verified import stored
    from bench.runs import arguments as given
    from bench.runs.rescore import rescore as score_again

    place = given.as_path("folder", folder)
    session = Session(load(given.as_optional_path("config", config)))
    record = stored(place)
    task = session.catalogue.task(record.result.task.name)
    return score_again(record, task, session.dataset(task.dataset))
