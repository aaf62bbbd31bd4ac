"""bench: protocol-exact, hierarchical and statistically honest benchmarks for video-and-text models.

From Python: `bench.run(model="hse", task="anet-retrieval")["t2v/R@1"].value`. docs/python.ipynb shows the rest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.analysis.compared import ModelComparison
    from bench.execution import Precision
    from bench.files import PathLike
    from bench.leaderboard.loaded import Results
    from bench.leaderboard.opened import Leaderboard, RankedTable
    from bench.leaderboard.opened import open_board as leaderboard
    from bench.results import Result
    from bench.runs.bars import Progress
    from bench.runs.progress import Reporter

__version__ = "0.1.0"
__all__ = [
    "Leaderboard",
    "ModelComparison",
    "Progress",
    "RankedTable",
    "Results",
    "__version__",
    "compare",
    "leaderboard",
    "load",
    "rescore",
    "run",
]
_LAZY = {
    "Leaderboard": "bench.leaderboard.opened",
    "ModelComparison": "bench.analysis.compared",
    "Progress": "bench.runs.bars",
    "RankedTable": "bench.leaderboard.opened",
    "Results": "bench.leaderboard.loaded",
}
"""Where names are that are imported when they are asked for: `import bench` loads nothing of weight."""


def __getattr__(name: str) -> Any:
    """Returns a class of `_LAZY`, or the package `bench.leaderboard`, which is a function as well."""
    if name == "leaderboard":
        return import_module("bench.leaderboard")
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
    ranks: int = 1,
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
        ranks: processes that fit the model together; a script then runs below `if __name__ == "__main__":`, as they
            import it again.
        checkpoint: a model.safetensors to use instead of fitting.
        output: where runs are written (default: `runs` of bench.yaml).
        resume: reuse what an earlier run of the same request left.
        checkpoint_every: minutes between two saves of an unfinished fit, or `epoch` for one after each.
        config: bench.yaml to use (default: the nearest upwards).
        reporter: told what happens: `bench.Progress()`, which draws bars, or anything with its two methods.

    Paths may be text or path objects.

    Raises: BenchError; its `exit_code` is what the command line would return.
    """
    arguments = dict(locals())  # the arguments and nothing else, as long as this stands first
    del arguments["reporter"]
    from dataclasses import replace

    from bench.catalogue.config import load
    from bench.catalogue.lookup import Session
    from bench.files import as_optional_path
    from bench.runs import arguments as given
    from bench.runs import execute as runner
    from bench.runs import plan as planning
    from bench.runs.checkpoints import minutes_between
    from bench.runs.request import Request

    session = Session(load(as_optional_path("config", config)))
    request = replace(
        Request.under(session.config, as_optional_path("output", output)),
        settings=given.as_settings("settings", settings),
        seed=given.as_whole("seed", seed),
        device=given.as_text("device", device, "cuda:0"),
        precision=given.as_choice("precision", precision, ("fp32", "bf16")),
        batch_size=given.as_whole("batch_size", batch_size),
        limit=None if limit is None else given.as_whole("limit", limit),
        ranks=given.as_whole("ranks", ranks),
        checkpoint=as_optional_path("checkpoint", checkpoint),
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
    from bench.files import as_optional_path, as_path
    from bench.runs.rescore import rescore as score_again

    place = as_path("folder", folder)
    session = Session(load(as_optional_path("config", config)))
    record = stored(place)
    task = session.catalogue.task(record.result.task.name)
    return score_again(record, task, session.dataset(task.dataset))


def load(*paths: PathLike) -> Results:
    """Returns records, each checked against the evidence that its numbers follow from.

    Args:
        paths: folders of runs, a folder of several, a leaderboard's folder, record files, or patterns such as
            `runs/hse--*`; text or path objects.

    Raises: BenchError. Of several records in a folder, those that cannot be used are in `left_out` of what is returned.
    """
    from bench.errors import UsageError
    from bench.files import as_path
    from bench.leaderboard.loaded import load_results

    if not paths:
        raise UsageError("load() wants the path of a run, of a folder of runs, or of a leaderboard: load('runs').")
    return load_results([as_path("paths", path) for path in paths])


def compare(
    a: PathLike | Results,
    b: PathLike | Results,
    metrics: Sequence[str] = (),
    *,
    across: bool = False,
    config: PathLike | None = None,
) -> ModelComparison:
    """Returns model A against model B, query by query, as `bench compare` does.

    Args:
        a: the runs of one model, one for each seed: paths and patterns separated by commas, or what `load` returned.
        b: those of the other model.
        metrics: measurements such as `t2v/R@1`; every recall, or what else can differ, where none is named.
        across: allow other segments or features, as long as the queries are the same.
        config: bench.yaml, asked for the dataset where one of them lost videos (default: the nearest upwards).

    Raises: BenchError.
    """
    from bench.analysis.compared import compare_models, side
    from bench.files import as_optional_path, as_path
    from bench.leaderboard.loaded import Results
    from bench.runs import arguments as given

    names, is_across = given.as_texts("metrics", metrics), given.as_flag("across", across)
    first, second = (
        side(name, runs if isinstance(runs, Results) else str(as_path(name, runs)))
        for name, runs in (("a", a), ("b", b))
    )
    return compare_models(first, second, names, across=is_across, config=as_optional_path("config", config))
