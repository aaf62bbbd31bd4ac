"""The promises of an encoder, one check each: a function that returns a detail, or raises `CheckFailed`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.catalogue.encoders import EncoderPlan
from bench.execution import Execution
from bench.models import ClipEncoder, EncoderSpec, FrameEncoder, TextEncoder
from bench.plugins.code import resolve
from bench.plugins.global_state import undisturbed
from bench.reading.numbers import number_of
from bench.testing.answers import Items, require_same, rows_of
from bench.testing.isolation import Traces
from bench.testing.opened import listening
from bench.testing.report import CheckFailed, NotApplicable
from bench.testing.trace_checks import no_network_is_used, nothing_else_is_changed, what_it_loads_is_stated

if TYPE_CHECKING:
    from torch import Tensor

SIZES = ((240, 320), (1, 1), (1, 300), (311, 5), (97, 33))
"""Heights and widths of frames: usual, as small as can be, as long as can be, and odd."""
TEXTS = ("a man plays the guitar", "A dog runs on grass.", "", "Ünïcödé 漢字", "!?", "dog")
MANY_WORDS = 5000


@dataclass
class EncoderSubject:
    """An encoder with the settings it is checked under.

    Attributes:
        plan: the encoder, looked up, its weights pinned.
        traces: what it did beside its work, over all checks.
    """

    plan: EncoderPlan
    traces: Traces = field(default_factory=Traces)

    @property
    def spec(self) -> EncoderSpec:
        return self.plan.spec

    @property
    def places(self) -> Mapping[str, str]:
        """Setting -> the path of the weights it names."""
        return self.plan.weights.places

    def opened(self) -> Any:
        """Returns the encoder, loaded anew."""
        with undisturbed(capture=True), listening(self.traces.read):
            resolve(self.spec.loader)  # what importing a library changes is not the encoder's doing
        with self.traces.watching("load"):
            return self.plan.open(Execution())

    @cached_property
    def encoder(self) -> Any:
        """The encoder."""
        return self.opened()

    def frames(self) -> list[np.ndarray]:
        """Returns frames of several sizes, drawn at random."""
        rng = np.random.default_rng(0)
        return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in SIZES]

    def inputs(self, encoder: Any) -> dict[str, list[Tensor]]:
        """Returns what the encoder makes of the frames, by the method that takes it."""
        prepared = {}
        if isinstance(encoder, FrameEncoder):
            prepared["embed_frames"] = [encoder.prepare(frame) for frame in self.frames()]
        if isinstance(encoder, ClipEncoder):
            rng = np.random.default_rng(1)
            windows = [rng.integers(0, 256, (encoder.window, *size, 3), dtype=np.uint8) for size in SIZES]
            prepared["embed_windows"] = [encoder.prepare_window(window) for window in windows]
        return prepared

    def said(self, encoder: Any, *, one_by_one: bool = False, backwards: bool = False) -> dict[str, Items]:
        """Returns all vectors by method, of everything at once or one by one, asked forwards or backwards."""
        import torch

        turn = slice(None, None, -1 if backwards else 1)
        asked: dict[str, list[Any]] = dict(self.inputs(encoder))
        if isinstance(encoder, TextEncoder):
            asked["embed_texts"] = list(TEXTS)
        vectors: dict[str, Items] = {}
        for method, items in asked.items():
            batches = [[item] for item in items] if one_by_one else [items[turn]]
            packed = batches if method == "embed_texts" else [torch.stack(batch) for batch in batches]
            rows = [rows_of(method, getattr(encoder, method)(batch), len(batch)) for batch in packed]
            vectors[method] = list(np.concatenate(rows))[turn if not one_by_one else slice(None)]
        return vectors


def spec_is_whole(subject: EncoderSubject) -> str:
    """Summary, capabilities and settings are there and agree."""
    spec = subject.spec
    silent = [name for name, setting in spec.settings.items() if not setting.doc.strip()]
    if not spec.summary.strip() or silent:
        raise CheckFailed(f"without a word on what it is: {', '.join(silent) or 'the encoder itself'}")
    known = (FrameEncoder, ClipEncoder, TextEncoder)
    if not spec.provides or not set(spec.provides) <= set(known):
        raise CheckFailed(f"provides must be some of {', '.join(kind.__name__ for kind in known)}")
    if spec.argument and spec.argument not in spec.settings:
        raise CheckFailed(f"argument {spec.argument!r} is none of its settings")
    return number_of(len(spec.settings), "setting")


def capabilities_are_there(subject: EncoderSubject) -> str:
    """The loaded object has what the protocols ask for, and says how frames are prepared."""
    encoder = subject.encoder
    if isinstance(encoder, (FrameEncoder, ClipEncoder)) and not str(encoder.preprocessing).strip():
        raise CheckFailed("preprocessing says nothing: a pack could not say how its frames were prepared")
    return ", ".join(kind.__name__ for kind in subject.spec.provides if isinstance(encoder, kind))


def frames_of_any_size_become_one_shape(subject: EncoderSubject) -> str:
    """Frames of any size become inputs of one shape, on the CPU, and stay as they were."""
    encoder = subject.encoder
    for method, inputs in subject.inputs(encoder).items():
        shapes = {tuple(item.shape) for item in inputs}
        if len(shapes) != 1 or any(item.device.type != "cpu" for item in inputs):
            raise CheckFailed(f"{method} would get inputs of the shapes {sorted(shapes)}; one was promised, on the CPU")
    if isinstance(encoder, FrameEncoder):
        frame, kept = subject.frames()[0], subject.frames()[0]
        frame.setflags(write=False)
        encoder.prepare(frame)
        if not np.array_equal(frame, kept):
            raise CheckFailed("prepare changes the frame that it is given")
    shape_of = {method: items[0].shape for method, items in subject.inputs(encoder).items()}
    return ", ".join(f"{method} {'×'.join(map(str, shape))}" for method, shape in shape_of.items())


def vectors_have_the_dimension_said(subject: EncoderSubject) -> str:
    """Vectors are float32, finite, and as long as the encoder says; both sides of a dual encoder alike."""
    encoder, said = subject.encoder, subject.said(subject.encoder)
    for method, rows in said.items():
        stated = encoder.dim_text if method == "embed_texts" else encoder.dim
        if rows[0].shape != (stated,):
            raise CheckFailed(f"{method} gives {rows[0].shape[0]} numbers a vector, and the encoder says {stated}")
    if "embed_texts" in said and len(said) > 1 and encoder.dim != encoder.dim_text:
        raise CheckFailed(f"frames have {encoder.dim} numbers and texts {encoder.dim_text}: they cannot be compared")
    return ", ".join(f"{method} {len(rows[0])}" for method, rows in said.items())


def batches_do_not_matter(subject: EncoderSubject) -> str:
    """One at a time gives what all at once give, and so does another order."""
    together = subject.said(subject.encoder)
    require_same(together, subject.said(subject.encoder, backwards=True), "in another order")
    return require_same(together, subject.said(subject.encoder, one_by_one=True), "when asked one at a time")


def it_repeats(subject: EncoderSubject) -> str:
    """Asked again, and loaded again, it gives the same."""
    said = subject.said(subject.encoder)
    require_same(said, subject.said(subject.encoder), "when asked again")
    return require_same(said, subject.said(subject.opened()), "when loaded again")


def long_texts_are_cut_and_counted(subject: EncoderSubject) -> str:
    """A text longer than is read has a vector and is counted; short and empty ones are not."""
    encoder = subject.encoder
    if not isinstance(encoder, TextEncoder):
        raise NotApplicable("it reads no texts")
    long = " ".join(["dog"] * MANY_WORDS)
    rows_of("embed_texts", encoder.embed_texts([long, "dog"]), 2)
    counts = [encoder.truncated(texts) for texts in ([], ["dog", ""], [long], [long, "dog", long])]
    if encoder.max_tokens < MANY_WORDS and counts != [0, 0, 1, 2]:
        raise CheckFailed(f"truncated says {counts} of none, two short, one long, and two long texts of three")
    return f"{encoder.max_tokens} tokens"


ENCODER_CHECKS: Mapping[str, Callable[[EncoderSubject], str]] = {
    "spec": spec_is_whole,
    "declared capabilities": capabilities_are_there,
    "frames of any size": frames_of_any_size_become_one_shape,
    "dimension, float32, finite": vectors_have_the_dimension_said,
    "batch size and order": batches_do_not_matter,
    "determinism": it_repeats,
    "long texts": long_texts_are_cut_and_counted,
    "no network": no_network_is_used,
    "weights are stated": what_it_loads_is_stated,
    "no global state changed": nothing_else_is_changed,
}
