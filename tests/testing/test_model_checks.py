"""Each check of the conformance kit fails for the model that breaks its promise, and passes for the others."""

from __future__ import annotations

import os
import random
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.api import InvalidData, Ragged, State
from bench.catalogue.catalogue import discover
from bench.models import ModelSpec, Setting, Trainable, VideoCaptioner, VideoTextEncoder
from bench.testing.model_checks import MODEL_CHECKS
from bench.testing.report import CheckFailed, NotApplicable
from bench.testing.subject import Subject, subjects


class Honest:
    """Means of frames and counts of letters, both relative to a mean that it learns."""

    def __init__(self, settings, execution):
        self.seed = execution.seed
        self.offset = torch.zeros(1)

    def fit(self, data, training):
        state = training.resume()
        start = 0 if state is None else int(state.values["epoch"])
        self.offset = torch.zeros(1) if state is None else torch.tensor(state.arrays["offset"])
        for epoch in range(start, 3):
            self.offset = self.offset * 0.5 + data.videos.batch(range(4)).frames.values.mean() + epoch + self.seed
            training.checkpoint(State({"offset": self.offset.numpy().copy()}, {"epoch": epoch + 1}))
            if training.stop_requested():
                from bench.api import Interrupted

                raise Interrupted("stopped")

    def embed_videos(self, videos):
        frames = videos.frames
        total = torch.zeros(len(videos), 8).index_add(0, frames.owners(), frames.values[:, :8])
        return total / frames.lengths[:, None] - self.offset

    def embed_paragraphs(self, paragraphs):
        return torch.tensor([[float(" ".join(p).count(c)) for c in "abcdefgh"] for p in paragraphs]).reshape(-1, 8)

    def state(self):
        return State({"offset": self.offset.numpy().copy()}, {})

    def load_state(self, state):
        self.offset = torch.tensor(state.arrays["offset"])


class SeesTheBatch(Honest):
    def embed_videos(self, videos):
        rows = super().embed_videos(videos)
        return rows - rows.mean(0)


class PoolsThePadding(Honest):
    def embed_videos(self, videos):
        torch.manual_seed(0)
        layer = torch.nn.TransformerEncoderLayer(videos.frames.values.shape[1], 2, 8, dropout=0.0, batch_first=True)
        states = torch.nn.TransformerEncoder(layer, 1).eval()(
            videos.frames.padded(), src_key_padding_mask=~videos.frames.mask()
        )
        return states.mean(dim=1)[:, :8]


class SeesTheOrder(Honest):
    def embed_paragraphs(self, paragraphs):
        return super().embed_paragraphs(paragraphs) + torch.arange(len(paragraphs))[:, None]


class DrawsUnseeded(Honest):
    def fit(self, data, training):
        super().fit(data, training)
        self.offset = self.offset + int.from_bytes(os.urandom(2), "big")


class Forgets(Honest):
    def load_state(self, state):
        self.offset = torch.zeros(1)


class KeepsObjects(Honest):
    def state(self):
        return State({"offset": np.array([object()])}, {})


class KeepsNoJson(Honest):
    def state(self):
        return State({"offset": self.offset.numpy()}, {"when": {1, 2}})


class ResumesWrongly(Honest):
    def fit(self, data, training):
        super().fit(data, training)
        if training.resume() is not None:
            self.offset = self.offset + 1


class IsDouble(Honest):
    def embed_videos(self, videos):
        return super().embed_videos(videos).double()


class IsNan(Honest):
    def embed_paragraphs(self, paragraphs):
        return super().embed_paragraphs(paragraphs) / 0.0


class TwoSpaces(Honest):
    def embed_videos(self, videos):
        return super().embed_videos(videos)[:, :4]


class NeedsTwoRows(Honest):
    def embed_videos(self, videos):
        assert int(videos.frames.lengths.min()) > 1
        return super().embed_videos(videos)


class NeedsShortText(Honest):
    def embed_paragraphs(self, paragraphs):
        if max((len(p) for p in paragraphs), default=0) > 30:
            raise IndexError("position 30 is out of range")
        return super().embed_paragraphs(paragraphs)


class NeedsSomething(Honest):
    def embed_paragraphs(self, paragraphs):
        return torch.stack([torch.ones(8) for _ in paragraphs])


class CallsHome(Honest):
    def embed_videos(self, videos):
        try:
            socket.create_connection(("192.0.2.1", 80), timeout=1)
        except OSError:
            self.refused = True
        return super().embed_videos(videos)


class Reseeds(Honest):
    def embed_videos(self, videos):
        random.seed(1)
        return super().embed_videos(videos)


class Moves(Honest):
    def embed_videos(self, videos):
        os.chdir("/")
        return super().embed_videos(videos)


class ChangesTorch(Honest):
    def __init__(self, settings, execution):
        super().__init__(settings, execution)
        torch.set_grad_enabled(False)


class Prints(Honest):
    def embed_videos(self, videos):
        print("hello")  # noqa: T201
        return super().embed_videos(videos)


class Mute:
    def __init__(self, settings, execution):
        pass


class SaysTooLittle(Honest):
    def caption(self, videos):
        return [("a sentence",) for _ in range(len(videos))]


def subject(name: str, **changes) -> Subject:
    given = {"summary": "a model", "provides": (VideoTextEncoder, Trainable), **changes}
    spec = ModelSpec(name=name, loader=f"{__name__}:{name}", **given)
    return Subject(spec, spec.resolve("sample", {}))


@pytest.mark.parametrize("check", MODEL_CHECKS)
def test_a_model_that_keeps_its_promises_passes(check):
    assert isinstance(MODEL_CHECKS[check](subject("Honest")), str)


@pytest.mark.parametrize(
    ("name", "check", "says"),
    [
        ("SeesTheBatch", "batch size", "embed_videos differs by"),
        ("PoolsThePadding", "batch size", "embed_videos differs by"),
        ("SeesTheOrder", "order", "embed_paragraphs differs by"),
        ("DrawsUnseeded", "determinism under a seed", "made again under the same seed"),
        ("Forgets", "fit, save, load", "after saving and loading"),
        ("KeepsObjects", "safe checkpoint", "expected a numpy array of numbers"),
        ("KeepsNoJson", "safe checkpoint", "is not JSON"),
        ("ResumesWrongly", "interrupted fit", "after an interrupted and resumed fit"),
        ("IsDouble", "shape, float32, finite", "expected torch.float32"),
        ("IsNan", "shape, float32, finite", "NaN or infinity"),
        ("TwoSpaces", "shape, float32, finite", "different dimensions: 4 and 8"),
        ("Mute", "declared capabilities", "lacks the methods of VideoTextEncoder, Trainable"),
    ],
)
def test_a_broken_promise_is_named(name, check, says):
    with pytest.raises(CheckFailed, match=says):
        MODEL_CHECKS[check](subject(name))


@pytest.mark.parametrize(
    ("name", "check", "error"),
    [
        ("NeedsTwoRows", "single clip", AssertionError),
        ("NeedsShortText", "very long input", IndexError),
        ("NeedsSomething", "empty batch", RuntimeError),
    ],
)
def test_an_input_at_the_edge_is_met(name, check, error):
    with pytest.raises(error):
        MODEL_CHECKS[check](subject(name))


@pytest.mark.parametrize(
    ("name", "check", "says"),
    [
        ("CallsHome", "no network", "192.0.2.1"),
        ("Reseeds", "no global state changed", "the random state of python in shape"),
        ("Moves", "no global state changed", "the working directory in shape"),
        ("ChangesTorch", "no global state changed", "torch's defaults in load"),
        ("Prints", "no global state changed", "prints to stdout in shape"),
    ],
)
def test_what_a_model_does_beside_its_work_is_put_back_and_named(name, check, says):
    model, here = subject(name), os.getcwd()  # noqa: PTH109
    state = random.getstate()
    with model.traces.watching("shape"):
        MODEL_CHECKS["shape, float32, finite"](model)

    with pytest.raises(CheckFailed, match=says):
        MODEL_CHECKS[check](model)
    assert os.getcwd() == here  # noqa: PTH109
    assert random.getstate() == state
    assert torch.is_grad_enabled()


def test_a_captioner_owes_a_sentence_for_each_segment():
    with pytest.raises(CheckFailed, match="1 sentence for a video of"):
        MODEL_CHECKS["shape, float32, finite"](subject("SaysTooLittle", provides=(VideoCaptioner, Trainable)))


def test_an_empty_batch_may_be_refused_in_one_line(monkeypatch):
    def refuse(self, videos):
        raise InvalidData("there is no video. Leave the batch out.")

    model = subject("Honest")
    assert model.model  # fitted before it refuses
    monkeypatch.setattr(Honest, "embed_videos", refuse)

    assert MODEL_CHECKS["empty batch"](model) == "refused in one line: videos"


def test_what_does_not_train_has_no_checkpoint():
    with pytest.raises(NotApplicable):
        MODEL_CHECKS["fit, save, load"](subject("Honest", provides=(VideoTextEncoder,)))


def test_a_setting_without_a_word_is_refused():
    with pytest.raises(CheckFailed, match="without a word"):
        MODEL_CHECKS["spec"](subject("Honest", settings={"size": Setting(3, " ")}))


def test_parts_are_compared_by_video():
    from bench.testing.answers import parts_of

    rows = Ragged(torch.arange(10.0).reshape(5, 2), torch.tensor([2, 3]))

    assert [len(part) for part in parts_of("embed_clips", rows, [2, 3])] == [2, 3]
    with pytest.raises(CheckFailed, match="lengths"):
        parts_of("embed_clips", rows, [3, 2])


class Reads(Honest):
    """Loads weights from where it likes, by way of `how`."""

    how = staticmethod(lambda path: path.read_text())
    path = None

    def __init__(self, settings, execution):
        super().__init__(settings, execution)
        type(self).how(Path(settings.get("weights") or type(self).path))


def by_safetensors(path):
    from safetensors.torch import load_file

    load_file(path)


WAYS = {
    "open": lambda path: path.open("rb").close(),
    "numpy": lambda path: np.load(path, allow_pickle=False),
    "safetensors": by_safetensors,
}


@pytest.mark.parametrize("way", list(WAYS))
def test_a_model_that_loads_something_without_saying_so_is_told(tmp_path, monkeypatch, way):
    from safetensors.numpy import save_file

    path = tmp_path / "weights.bin"
    if way == "safetensors":
        save_file({"a": np.ones(2)}, path)
    else:
        with path.open("wb") as file:
            np.save(file, np.ones(2))
    monkeypatch.setattr(Reads, "how", staticmethod(WAYS[way]))
    monkeypatch.setattr(Reads, "path", path)
    monkeypatch.setattr(f"{__name__}.Reads", Reads, raising=False)
    loader = f"{__name__}:Reads"
    check = MODEL_CHECKS["weights are stated"]
    silent = ModelSpec("reads", "reads", loader, (VideoTextEncoder, Trainable))
    by_setting = replace(silent, settings={"weights": Setting("", "where they are", kind="file")})
    stated = replace(silent, fingerprint=f"{__name__}:nothing")

    subject = Subject(silent, {})
    subject.loaded()
    with pytest.raises(CheckFailed, match=r"it reads weights\.bin and nothing says so"):
        check(subject)
    ((_, named),) = subjects(by_setting, {"weights": str(path)}, discover({}, ()))
    named.loaded()
    assert check(named) == "stated: weights"
    fingerprinted = Subject(stated, {})
    fingerprinted.loaded()
    assert check(fingerprinted) == "stated: a fingerprint"


def test_a_model_that_loads_nothing_passes():
    subject = Subject(ModelSpec("honest", "honest", f"{__name__}:Honest", (VideoTextEncoder, Trainable)), {})
    assert subject.model
    assert MODEL_CHECKS["weights are stated"](subject) == "it loads nothing"
