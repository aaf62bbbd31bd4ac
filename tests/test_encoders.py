"""Encoders are looked up by name and argument, and opened with their mistakes in one line."""

import hashlib
import sys

import pytest

from bench.catalogue.catalogue import EntryPoint, discover
from bench.catalogue.encoders import plan_encoder
from bench.errors import CatalogueError, MissingData, ModelError, UnknownName, UsageError
from bench.execution import Execution

CODE = """
from bench.api import EncoderSpec, FrameEncoder, Setting, TextEncoder, hookimpl

SETTINGS = {"size": Setting(4, "numbers", minimum=1), "weights": Setting("", "a file", kind="file")}

class Toy:
    preprocessing = "none"

    def __init__(self, settings, execution):
        self.dim, self.weights = settings["size"], settings["weights"]

    def prepare(self, frame): ...
    def embed_frames(self, frames): ...

class Lame:
    def __init__(self, settings, execution): ...

def needs_a_package(settings, execution):
    import nobody_has_this

def breaks(settings, execution):
    raise ValueError("seven\\nis too many")

def words(settings):
    return f"library {settings['size']}"

def spec(name, code, **further):
    given = {"provides": (FrameEncoder,), "settings": SETTINGS, **further}
    return EncoderSpec(name, "toy", f"outside_toy:{code}", **given)

@hookimpl
def bench_encoders():
    return [
        spec("toy", "Toy", argument="size", fingerprint="outside_toy:words"),
        spec("plain", "Toy"),
        spec("folder", "Toy", argument="place", settings={"place": Setting("", "a folder", kind="hub")}),
        spec("lame", "Lame"),
        spec("lacking", "needs_a_package", extra="toy[all]"),
        spec("broken", "breaks"),
        spec("either", "Toy", provides=(FrameEncoder, TextEncoder), by_setting=(FrameEncoder, TextEncoder)),
    ]
"""


@pytest.fixture
def found(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "outside_toy", raising=False)
    (tmp_path / "outside_toy.py").write_text(CODE)
    catalogue = discover({}, [EntryPoint("toy", "outside_toy", "toys 1.0")])
    assert not catalogue.plugins[0].error
    return catalogue


def test_what_follows_a_colon_is_a_setting(found):
    plan = plan_encoder(found, "toy:7")

    assert (plan.spec.name, plan.distribution) == ("toy:7", "toys 1.0")
    assert plan.weights.settings == {"size": 7, "weights": ""}
    assert plan.weights.fingerprint == "library 7"
    assert plan.open(Execution()).dim == 7
    assert plan_encoder(found, "toy").weights.settings["size"] == 4
    assert plan_encoder(found, "toy", {"size": "9"}).open(Execution()).dim == 9


def test_weights_named_after_the_colon_are_named_by_what_they_hold(found, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")

    plan = plan_encoder(found, f"folder:{tmp_path / 'model'}")

    assert plan.spec.name == f"folder:{plan.weights.settings['place']}"
    assert plan.weights.settings["place"].startswith("model@sha256:")
    assert plan.weights.given["place"] == str(tmp_path / "model")
    assert str(tmp_path) not in str(plan.words)


def test_weights_are_pinned_by_what_they_hold(found, tmp_path):
    file = tmp_path / "w.safetensors"
    file.write_bytes(b"weights")

    plan = plan_encoder(found, "toy", {"weights": str(file)})

    digest = hashlib.sha256(b"weights").hexdigest()
    assert plan.weights.settings["weights"] == f"w.safetensors@sha256:{digest}"
    assert plan.open(Execution()).weights == str(file)
    with pytest.raises(MissingData, match="--set weights=PATH"):
        plan_encoder(found, "toy", {"weights": str(tmp_path / "absent")})


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("toi", UnknownName, "unknown encoder 'toi'. Did you mean 'toy'"),
        ("toy:0", UsageError, "setting size=0: must be at least 1"),
        ("toy:", UsageError, "setting size=: expected int"),
        ("plain:7", UsageError, "encoder 'plain' takes nothing after a colon. Write plain."),
        ("lame", ModelError, "outside_toy:Lame lacks what FrameEncoder asks for"),
        ("lacking", CatalogueError, r"No module named 'nobody_has_this'. Install it: pip install 'toy\[all\]'"),
        ("broken", ModelError, "encoder 'broken' failed to load: ValueError: seven is too many."),
    ],
)
def test_a_mistake_is_one_line(found, name, error, says):
    with pytest.raises(error, match=says) as caught:
        plan_encoder(found, name).open(Execution())

    assert "\n" not in str(caught.value)


def test_an_encoder_may_provide_what_its_settings_decide(found):
    assert plan_encoder(found, "either").open(Execution()).dim == 4


def test_an_unknown_setting_is_refused(found):
    with pytest.raises(UsageError, match=r"encoder 'toy' has no setting 'sice'\. Did you mean 'size'"):
        plan_encoder(found, "toy", {"sice": 1})
