"""Which model of mteb a name means, and whether bench can ask it: known, of images or videos, one vector for an input.

Nothing of a model is loaded here. mteb's own `get_model` asks the Hub for names that it does not know; bench does not.
"""

from __future__ import annotations

import difflib
import inspect
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from bench.api import Settings, UnsupportedTask, UsageError

SEEN = ("video", "image")
"""What frames can be to a model, that which is taken first before the other."""


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps mteb from saying that a task may change or a model was renamed, and transformers from drawing bars."""
    from transformers.utils import logging as bars

    log = logging.getLogger("mteb")
    before, drawn = log.level, bars.is_progress_bar_enabled()
    log.setLevel(logging.ERROR)
    bars.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
        if drawn:
            bars.enable_progress_bar()


def meta_of(settings: Settings) -> Any:
    """Returns the `ModelMeta` of the model that settings name.

    Raises: UsageError for no name and for one that mteb does not know; UnsupportedTask for a model that bench cannot
    ask.
    """
    name = str(settings["model"])
    if not name:
        raise UsageError("mteb: name a model that mteb knows: mteb:openai/clip-vit-base-patch32.")
    import mteb

    try:
        with quiet():
            meta = mteb.get_model_meta(name)
    except KeyError:
        raise UsageError(f"mteb: {version('mteb')} knows no model {name!r}. {_near(name)}") from None
    _require_askable(meta, settings)
    return meta


def looks_at(meta: Any, settings: Settings) -> str:
    """Returns what frames are to a model, `image` or `video`. Raises: UsageError where it is not what was asked for."""
    offered = [kind for kind in SEEN if kind in meta.modalities]
    asked = str(settings["modality"])
    if asked and asked not in offered:
        raise UsageError(
            f"mteb: modality={asked}, and {meta.name} reads {' and '.join(sorted(meta.modalities))}. Write "
            f"modality={offered[0]}, or leave it out."
        )
    return asked or offered[0]


def _near(name: str) -> str:
    import mteb

    with quiet():
        known = [meta.name for meta in mteb.get_model_metas() if set(SEEN) & set(meta.modalities)]
    last = {known_name.rpartition("/")[2]: known_name for known_name in known}
    near = difflib.get_close_matches(name, known, n=3)
    near += [last[part] for part in difflib.get_close_matches(name.rpartition("/")[2], list(last), n=3)]
    listed = ", ".join(dict.fromkeys(near)) or "none"
    return f"Near it, of its {len(known)} models of images or videos: {listed}."


def _require_askable(meta: Any, settings: Settings) -> None:
    reads = " and ".join(sorted(meta.modalities))
    if not set(SEEN) & set(meta.modalities):
        raise UnsupportedTask(
            f"mteb: {meta.name} reads {reads} alone, and is asked about frames here. {_near(meta.name)}"
        )
    if "dense" not in meta.model_type or str(meta.similarity_fn_name) not in {"cosine", "dot", "None"}:
        kinds, compared = ", ".join(meta.model_type), meta.similarity_fn_name or "a score of its own"
        raise UnsupportedTask(
            f"mteb: {meta.name} is {kinds}, compared by {compared}; an encoder of bench makes one vector of an input, "
            "compared by cosine. Take a model that mteb lists as dense."
        )
    if "API" in meta.framework:
        raise UnsupportedTask(
            f"mteb: {meta.name} is a service behind a network, and encoders of bench ask none. Take one with open "
            "weights."
        )
    if not settings["remote_code"] and _runs_remote_code(meta):
        raise UsageError(
            f"mteb: to load {meta.name}, mteb may run code that lies in its repository beside the weights. Read that "
            "code, then allow it: settings: {remote_code: true}."
        )


def _runs_remote_code(meta: Any) -> bool:
    """Whether what mteb loads a model with lets transformers run code of its repository."""
    if meta.loader_kwargs.get("trust_remote_code"):
        return True
    module = inspect.getmodule(getattr(meta.loader, "func", meta.loader))
    return module is not None and "trust_remote_code=True" in inspect.getsource(module)


def task_of(settings: Settings) -> Any:
    """Returns the metadata of the task of mteb under whose name inputs are encoded. Raises: UsageError."""
    import mteb

    name = str(settings["task"])
    try:
        with quiet():
            return mteb.get_task(name).metadata
    except KeyError:
        known = [task.metadata.name for task in _retrieval_tasks()]
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or known[:3]
        raise UsageError(f"mteb: {version('mteb')} knows no task {name!r}. Near it: {', '.join(near)}.") from None


def _retrieval_tasks() -> list[Any]:
    import mteb

    with quiet():
        return list(mteb.get_tasks(task_types=["Any2AnyRetrieval"], modalities=["video"], exclude_beta=False))


def fingerprint(settings: Settings) -> str:
    """Returns the release of mteb, and the revision of the model's repository that it takes."""
    return f"mteb {version('mteb')}, {meta_of(settings).name} at {meta_of(settings).revision}"
