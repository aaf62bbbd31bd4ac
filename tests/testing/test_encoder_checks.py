"""Each promise of an encoder is one that can be broken, and the kit says which."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bench.api import ClipEncoder, EncoderSpec, FrameEncoder, Setting, TextEncoder
from bench.catalogue.encoders import EncoderPlan
from bench.catalogue.weights import pinned
from bench.testing.encoder_checks import ENCODER_CHECKS, EncoderSubject
from bench.testing.report import CheckFailed, NotApplicable

FIELDS = 4


class Good:
    """Mean colours and counts of letters: a dual encoder that keeps its promises."""

    dim = dim_text = 3 * FIELDS
    window, max_tokens = 2, 20
    preprocessing = "2 × 2 fields by area, 0 to 1"

    def __init__(self, settings, execution):
        self.settings = settings

    def prepare(self, frame):
        maps = torch.from_numpy(frame.copy()).permute(2, 0, 1).float() / 255
        return torch.nn.functional.adaptive_avg_pool2d(maps, 2)

    def prepare_window(self, frames):
        return torch.stack([self.prepare(frame) for frame in frames])

    def embed_frames(self, frames):
        return frames.flatten(1)

    def embed_windows(self, windows):
        return windows.mean(1).flatten(1)

    def embed_texts(self, texts):
        return torch.tensor([[text.count(c) / (1.0 + len(text)) for c in "abcdefghijkl"] for text in texts])

    def truncated(self, texts):
        return sum(len(text.split()) > self.max_tokens for text in texts)


class OtherShapes(Good):
    def prepare(self, frame):
        return torch.from_numpy(frame.copy()).permute(2, 0, 1).float()


class Scribbles(Good):
    def prepare(self, frame):
        frame.setflags(write=True)
        frame[:] = 0
        return super().prepare(frame)


class Liar(Good):
    dim = 5


class TwoSpaces(Good):
    dim_text = 3

    def embed_texts(self, texts):
        return super().embed_texts(texts)[:, :3]


class Doubles(Good):
    def embed_frames(self, frames):
        return frames.flatten(1).double()


class Centres(Good):
    def embed_frames(self, frames):
        rows = frames.flatten(1)
        return rows - rows.mean(0)


class Draws(Good):
    def embed_frames(self, frames):
        return frames.flatten(1) + torch.randn(1, generator=GENERATOR)


class CountsNothing(Good):
    def truncated(self, texts):
        return 0


class Silent(Good):
    preprocessing = " "


class Reads(Good):
    def __init__(self, settings, execution):
        np.load(PLACE[0])


class ChangesTheSeed(Good):
    def embed_texts(self, texts):
        torch.manual_seed(1)
        return super().embed_texts(texts)


class Reaches(Good):
    def embed_texts(self, texts):
        import socket

        with socket.socket() as line:
            line.connect(("192.0.2.1", 80))


GENERATOR = torch.Generator()
PLACE: list[str] = []


def subject(kind, **changes):
    provides = (FrameEncoder, ClipEncoder, TextEncoder)
    spec = EncoderSpec("toy", "a toy", f"{__name__}:{kind.__name__}", provides, **changes)
    return EncoderSubject(EncoderPlan(spec, "toys 1", pinned(spec, spec.resolve({}))))


def asked(checked, what):
    with checked.traces.watching(what):
        return ENCODER_CHECKS[what](checked)


def test_a_good_encoder_passes_every_check():
    good = subject(Good)
    for what in ENCODER_CHECKS:
        asked(good, what)


@pytest.mark.parametrize(
    ("kind", "what", "says"),
    [
        (OtherShapes, "frames of any size", "inputs of the shapes"),
        (Scribbles, "frames of any size", "changes the frame"),
        (Liar, "dimension, float32, finite", "12 numbers a vector, and the encoder says 5"),
        (TwoSpaces, "dimension, float32, finite", "frames have 12 numbers and texts 3"),
        (Doubles, "dimension, float32, finite", "float64"),
        (Centres, "batch size and order", "when asked one at a time"),
        (Draws, "determinism", "when asked again"),
        (CountsNothing, "long texts", "truncated says"),
        (Silent, "declared capabilities", "preprocessing says nothing"),
    ],
)
def test_a_broken_promise_is_told(kind, what, says):
    with pytest.raises(CheckFailed, match=says):
        asked(subject(kind), what)


@pytest.mark.parametrize(
    ("kind", "does", "what", "says"),
    [
        (Reads, "determinism", "weights are stated", "it reads .*weights.npy and nothing says so"),
        (ChangesTheSeed, "determinism", "no global state changed", "the random state of torch in determinism"),
    ],
)
def test_what_it_does_beside_its_work_is_told(tmp_path, kind, does, what, says):
    np.save(tmp_path / "weights.npy", np.zeros(3))
    PLACE[:] = [str(tmp_path / "weights.npy")]
    watched = subject(kind)
    asked(watched, does)

    with pytest.raises(CheckFailed, match=says):
        asked(watched, what)


def test_a_network_is_refused_and_told():
    reaching = subject(Reaches)
    with pytest.raises(ConnectionError):
        asked(reaching, "long texts")

    with pytest.raises(CheckFailed, match="tried to reach"):
        asked(reaching, "no network")


def test_a_spec_without_words_or_with_an_argument_that_is_no_setting_is_told():
    with pytest.raises(CheckFailed, match="without a word"):
        asked(subject(Good, settings={"a": Setting(1, " ")}), "spec")
    with pytest.raises(CheckFailed, match="none of its settings"):
        asked(subject(Good, argument="b"), "spec")


def test_an_encoder_of_frames_alone_is_asked_for_no_texts():
    frames = subject(Good)
    frames.encoder = type("Frames", (), {"truncated": None})()
    with pytest.raises(NotApplicable, match="reads no texts"):
        asked(frames, "long texts")


def test_the_command_checks_one_encoder_under_its_settings_and_a_plugin_as_far_as_it_goes(bench_command, tmp_path):
    from cli.conftest import install

    module = tmp_path / "mine.py"
    module.write_text(OWN)
    site = install(tmp_path / "site", module, "mine")

    one = bench_command("plugin", "check", "shades", "--set", "grid=3", path=site).stdout
    whole = bench_command("plugin", "check", "mine", path=site).stdout

    assert "embed_frames 9" in one
    assert "encoder shades" in whole
    assert "Install it: pip install" in whole
    assert "failed" not in whole.partition("##")[0]


OWN = """
from bench.api import EncoderSpec, FrameEncoder, Setting, hookimpl


class Shades:
    preprocessing = "grey, fields by area"

    def __init__(self, settings, execution):
        self.grid = settings["grid"]
        self.dim = self.grid**2

    def prepare(self, frame):
        import torch

        grey = torch.from_numpy(frame.copy()).float().mean(2)[None]
        return torch.nn.functional.adaptive_avg_pool2d(grey, self.grid)

    def embed_frames(self, frames):
        return frames.flatten(1)


def absent(settings, execution):
    import nobody_has_this


@hookimpl
def bench_encoders():
    grid = Setting(2, "fields along each side", minimum=1)
    return [
        EncoderSpec("shades", "shades of grey", "mine:Shades", (FrameEncoder,), settings={"grid": grid}),
        EncoderSpec("absent", "lacks a package", "mine:absent", (FrameEncoder,), extra="mine[all]"),
    ]
"""
