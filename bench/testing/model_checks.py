"""The promises of a model, one check each: a function that returns a detail, or raises `CheckFailed`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bench.errors import BenchError
from bench.reading.numbers import number_of
from bench.testing.answers import everything, of_pairs, of_paragraphs, of_videos, require_same
from bench.testing.material import LONG_VIDEO, STRANGE, long_paragraph, take, video_of
from bench.testing.report import CheckFailed, NotApplicable
from bench.testing.subject import Subject
from bench.testing.trace_checks import no_network_is_used, nothing_else_is_changed, what_it_loads_is_stated


def spec_is_whole(subject: Subject) -> str:
    """Summary, settings and recipes are there and agree."""
    spec = subject.spec
    silent = [name for name, setting in spec.settings.items() if not setting.doc.strip()]
    if not spec.summary.strip() or silent:
        raise CheckFailed(f"without a word on what it is: {', '.join(silent) or 'the model itself'}")
    for name, setting in spec.settings.items():
        setting.check(name, setting.default)
    for recipe in spec.recipes:
        spec.resolve(recipe, {})
    return number_of(len(spec.settings), "setting")


def capabilities_are_there(subject: Subject) -> str:
    """The loaded object has every method of the protocols that the spec declares."""
    spec, model = subject.spec, subject.loaded()
    lacking = [kind.__name__ for kind in spec.provides if not isinstance(model, kind) and kind not in spec.by_setting]
    if lacking:
        raise CheckFailed(f"{spec.loader} lacks the methods of {', '.join(lacking)}")
    if spec.by_setting and not isinstance(model, spec.by_setting):
        raise CheckFailed(f"{spec.loader} provides none of {', '.join(k.__name__ for k in spec.by_setting)}")
    return ", ".join(kind.__name__ for kind in spec.provides if isinstance(model, kind))


def it_fits(subject: Subject) -> str:
    """Training ends without an error and gives a model that answers."""
    if not subject.trains:
        raise NotApplicable("it does not train")
    said = everything(subject.model, subject.material.videos, subject.material.paragraphs)
    return f"{number_of(len(subject.material.training), 'video')}; {', '.join(said)}"


def answers_have_their_shape(subject: Subject) -> str:
    """Answers have the promised shape, are float32 and finite, and both sides have one dimension."""
    said = everything(subject.model, subject.material.videos, subject.material.paragraphs)
    for one, other in (("embed_videos", "embed_paragraphs"), ("embed_clips", "embed_sentences")):
        if one in said and other in said and said[one][0].shape[-1] != said[other][0].shape[-1]:
            raise CheckFailed(f"{one} and {other} have different dimensions: {said[one][0].shape[-1]} and "
                              f"{said[other][0].shape[-1]}")  # fmt: skip
    shown = {method: items[0].shape for method, items in said.items() if not isinstance(items[0], tuple)}
    return ", ".join(f"{method} {'×'.join(map(str, shape))}" for method, shape in shown.items())


def batches_do_not_matter(subject: Subject) -> str:
    """One video or paragraph at a time gives what all at once give."""
    videos, paragraphs = subject.material.videos, subject.material.paragraphs
    whole = everything(subject.model, videos, paragraphs)
    single: dict[str, list[Any]] = {}
    for index in range(len(videos)):
        for method, items in of_videos(subject.model, take(videos, [index])).items():
            single.setdefault(method, []).extend(items)
    for paragraph in paragraphs:
        for method, items in everything_said(subject, paragraph).items():
            single.setdefault(method, []).extend(items)
    return require_same(whole, single, "when asked one at a time")


def everything_said(subject: Subject, paragraph: tuple[str, ...]) -> dict[str, list[Any]]:
    """Returns what is said of one paragraph, alone and with all videos."""
    alone = of_paragraphs(subject.model, [paragraph])
    return {**alone, **of_pairs(subject.model, subject.material.videos, [paragraph])}


def order_does_not_matter(subject: Subject) -> str:
    """The same in another order gives the same in that order."""
    videos, paragraphs = subject.material.videos, subject.material.paragraphs
    backwards = list(range(len(videos)))[::-1]
    whole = everything(subject.model, videos, paragraphs)
    turned = everything(subject.model, take(videos, backwards), paragraphs[::-1])
    back = {method: items[::-1] for method, items in turned.items()}
    if "score" in back:
        back["score"] = [row[::-1] for row in back["score"]]
    return require_same(whole, back, "in another order")


def a_seed_repeats(subject: Subject) -> str:
    """Two models of one seed say the same; twice asked, one model says the same."""
    videos, paragraphs = subject.material.videos, subject.material.paragraphs
    said = everything(subject.model, videos, paragraphs)
    require_same(said, everything(subject.model, videos, paragraphs), "when asked again")
    return require_same(said, everything(subject.fitted(0), videos, paragraphs), "when made again under the same seed")


def a_checkpoint_restores(subject: Subject) -> str:
    """Fit, save, load: the restored model says what the fitted one said."""
    state = _state(subject)
    videos, paragraphs = subject.material.videos, subject.material.paragraphs
    said = everything(subject.model, videos, paragraphs)
    return require_same(said, everything(subject.restored(state), videos, paragraphs), "after saving and loading")


def a_checkpoint_is_safe(subject: Subject) -> str:
    """Arrays are numbers and values are JSON, so that nothing has to be unpickled."""
    state = _state(subject)
    for name, array in state.arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
            kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            raise CheckFailed(f"state().arrays[{name!r}] is {kind}, expected a numpy array of numbers")
    try:
        whole = json.loads(json.dumps(state.values)) == _as_json(state.values)
    except (TypeError, ValueError) as error:
        raise CheckFailed(f"state().values is not JSON: {error}") from error
    if not whole:
        raise CheckFailed("state().values changes on its way through JSON: use text as keys")
    size = sum(array.nbytes for array in state.arrays.values())
    return f"{number_of(len(state.arrays), 'array')}, {size / 1e6:.1f} MB"


def an_interrupted_fit_goes_on(subject: Subject) -> str:
    """Stopped after its first checkpoint and resumed, training ends where it would have ended."""
    _state(subject)
    stopped = subject.loaded()
    saved: list[Any] = []
    state = subject.fit(stopped, 0, checkpoint=saved.append, stop_requested=lambda: bool(saved)) or (saved or [None])[0]
    if state is None:
        raise NotApplicable("it saves no checkpoint while it trains: an interrupted fit starts again")
    resumed = subject.loaded()
    subject.fit(resumed, 0, resume=lambda: state)
    videos, paragraphs = subject.material.videos, subject.material.paragraphs
    said = everything(subject.model, videos, paragraphs)
    return require_same(said, everything(resumed, videos, paragraphs), "after an interrupted and resumed fit")


def a_single_clip_is_enough(subject: Subject) -> str:
    """A video of one segment of one row, and a paragraph of one word."""
    everything(subject.model, video_of(subject.material.videos, 1, 1), [("word",)])
    return ""


def long_inputs_are_read(subject: Subject) -> str:
    """A video of many segments at the row cap, a paragraph of many long sentences, and strange words."""
    videos = video_of(subject.material.videos, LONG_VIDEO, subject.spec.max_rows)
    long = long_paragraph(subject.material.paragraphs) if any(subject.material.paragraphs) else STRANGE
    everything(subject.model, videos, [long, STRANGE])
    return f"{LONG_VIDEO} segments of {subject.spec.max_rows} rows, {len(long)} sentences"


def nothing_is_no_surprise(subject: Subject) -> str:
    """An empty batch gives an empty answer, or one of our errors, which is one line."""
    nobody = take(subject.material.videos, [])
    asked: dict[str, Callable[[], object]] = {
        "videos": lambda: of_videos(subject.model, nobody),
        "paragraphs": lambda: of_paragraphs(subject.model, ()),
    }
    refused = []
    for side, ask in asked.items():
        try:
            ask()
        except BenchError:
            refused.append(side)
    return f"refused in one line: {', '.join(refused)}" if refused else "empty answers"


def _state(subject: Subject) -> Any:
    if not subject.trains:
        raise NotApplicable("it does not train")
    return subject.model.state()


def _as_json(values: Any) -> Any:
    """Returns the same with tuples as lists."""
    if isinstance(values, Mapping):
        return {key: _as_json(value) for key, value in values.items()}
    return [_as_json(value) for value in values] if isinstance(values, (list, tuple)) else values


MODEL_CHECKS: Mapping[str, Callable[[Subject], str]] = {
    "spec": spec_is_whole,
    "declared capabilities": capabilities_are_there,
    "trains": it_fits,
    "shape, float32, finite": answers_have_their_shape,
    "batch size": batches_do_not_matter,
    "order": order_does_not_matter,
    "determinism under a seed": a_seed_repeats,
    "fit, save, load": a_checkpoint_restores,
    "safe checkpoint": a_checkpoint_is_safe,
    "interrupted fit": an_interrupted_fit_goes_on,
    "single clip": a_single_clip_is_enough,
    "very long input": long_inputs_are_read,
    "empty batch": nothing_is_no_surprise,
    "no network": no_network_is_used,
    "weights are stated": what_it_loads_is_stated,
    "no global state changed": nothing_else_is_changed,
}
