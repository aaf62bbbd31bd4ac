"""bench: protocol-exact, hierarchical and statistically honest benchmarks for video-and-text models.

From Python: `bench.run(model="hse", task="anet-retrieval")["t2v/R@1"].value`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, Unpack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.execution import Precision
    from bench.results import Result
    from bench.runs.progress import Reporter

__version__ = "0.1.0"
__all__ = ["__version__", "rescore", "run"]


class RunOptions(TypedDict, total=False):
    """What `run` takes beside model and task; each means what the flag of `bench run` of that name means."""

    settings: Mapping[str, Any]
    seed: int
    device: str
    precision: Precision
    batch_size: int
    limit: int | None
    checkpoint: Path | None
    output: Path
    resume: bool


def run(
    model: str,
    task: str,
    *,
    config: Path | None = None,
    reporter: Reporter | None = None,
    **options: Unpack[RunOptions],
) -> Result:
    """Returns the result of one model on one task, as `bench run` would.

    Raises: BenchError; its `exit_code` is what the command line would return.
    """
    from bench.catalogue.config import load
    from bench.catalogue.lookup import Session
    from bench.runs import execute as runner
    from bench.runs import plan as planning

    session = Session(load(config))
    given: dict[str, Any] = {"output": session.config.runs, "word_vectors": session.config.word_vectors, **options}
    call = ", ".join([f"{model!r}", f"{task!r}", *(f"{key}={value!r}" for key, value in options.items())])
    request = planning.Request(**given, command=(f"bench.run({call})",))
    return runner.execute(planning.plan(session.cell(model, task), request), reporter)


def rescore(folder: Path, *, config: Path | None = None) -> Result:
    """Returns the record of a run's folder after scoring its predictions again.

    Raises: VerificationError when anything differs from what the record says.
    """
    from bench.catalogue.config import load
    from bench.catalogue.lookup import Session
    from bench.runs import rescore as rescoring

    session = Session(load(config))
    task = session.catalogue.task(rescoring.load_record(folder).task.name)
    return rescoring.rescore(folder, task, session.dataset(task.dataset))
