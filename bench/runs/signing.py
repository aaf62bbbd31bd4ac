"""The signature of a run: all that makes its numbers others, said before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.annotations import Annotations, RetrievalAnnotations
from bench.catalogue.lookup import RunCell
from bench.data.groups import groups_of
from bench.errors import CatalogueError
from bench.files import digest
from bench.results import WEIGHTS, sampled, signature
from bench.tasks.task import PAIRING, Task

if TYPE_CHECKING:
    from bench.data.lessons import TrainingSet


def signed(
    cell: RunCell, annotations: Annotations, labelled: TrainingSet | None, limit: int | None, loaded: Sequence[str]
) -> str:
    """Returns the signature of a model on a task.

    Args:
        annotations: what its predictions will be scored against.
        labelled: the training videos with classes that the task hands out, or None.
        limit: at most this many videos, or None.
        loaded: what tells the weights of a frozen model from others; () for a model that loads nothing.
    """
    task, dataset = cell.task, cell.dataset
    with cell.task_code.during("name its rules"):
        rules = task.rules()
    if PAIRING in task.support and isinstance(annotations, RetrievalAnnotations):
        raise CatalogueError(
            f"task {task.name!r} asks which video belongs to which text, and asks to be handed just that "
            f"(support: {PAIRING}). Leave it out of the task's `support`."
        )
    asked: dict[str, str] = {"text": annotations.unit} if isinstance(annotations, RetrievalAnnotations) else {}
    if isinstance(annotations, RetrievalAnnotations) and annotations.hits:
        asked["hits"] = annotations.hits  # what counts where several are right
    features = dataset.feature_identity([task.split])
    parts = {
        "split": task.split,
        "pool": f"{len(annotations)}:{annotations.pool[:8]}",
        "segments": task.view.segments,
        **asked,
        **handed(task),
        "features": f"{features.extractor}-{features.dim}:{features.digest[:8]}",
        **sampled(features.made),
        **rules,
        "data": dataset.kind,
    }
    if labelled:
        shown = dataset.count(labelled.split, limit), dataset.annotation_digest(labelled.split)[:8]
        parts["labelled"] = "{}:{}".format(*shown)
        if groups := groups_of(dataset, labelled.split):
            parts["groups"] = digest(groups)[:8]
    if dataset.left_out(task.split):
        parts["missing"] = f"{dataset.declaration.missing}-{len(dataset.left_out(task.split))}"
    if loaded:
        parts[WEIGHTS] = digest(loaded)[:8]
    return signature(task.name.partition(":")[0], task.version, parts)


def handed(task: Task) -> dict[str, str]:
    """Returns the part of a signature that says that a task knows which video each text belongs to, where it does."""
    return {PAIRING: "given"} if PAIRING in task.support else {}
