"""Image networks of timm with random weights, by its real loading and preprocessing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench.errors import MissingData, UsageError

pytestmark = pytest.mark.extra("timm")

NETWORK = "resnet10t"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Returns a file of random weights, with the classifier that published ones have."""
    from bench_encoders.torchvision_import import import_torchvision

    import_torchvision()
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("timm") / "model.safetensors"
    save_file(timm.create_model(NETWORK).state_dict(), path)
    return path


def test_it_keeps_the_promises_of_an_encoder(checked, weights):
    found = checked(f"timm:{NETWORK}", weights=str(weights))

    assert found["dimension, float32, finite"] == "embed_frames 512"
    assert found["weights are stated"] == "stated: weights, a fingerprint"


def test_a_folder_as_on_the_hub_gives_the_same_vectors(opened, weights, picture, tmp_path):
    import timm

    config = timm.create_model(NETWORK).pretrained_cfg
    asked = {key: config[key] for key in ("input_size", "interpolation", "crop_pct", "mean", "std", "num_classes")}
    asked |= {key: config[key] for key in ("first_conv", "classifier", "pool_size")}
    (tmp_path / "config.json").write_text(json.dumps({"architecture": NETWORK, "pretrained_cfg": asked}))
    (tmp_path / "model.safetensors").write_bytes(weights.read_bytes())
    one, other = opened(f"timm:{NETWORK}", weights=str(weights)), opened("timm", repository=str(tmp_path))

    frame = picture(90, 160)
    first, second = (encoder.embed_frames(encoder.prepare(frame)[None]).numpy() for encoder in (one, other))
    np.testing.assert_array_equal(first, second)
    assert one.preprocessing == other.preprocessing


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("timm", UsageError, "write timm:NAME.TAG"),
        ("timm:resnet1000", UsageError, "no network 'resnet1000'"),
        ("timm:resnet10t.c3_in1k", MissingData, "Fetch it: hf download timm/resnet10t.c3_in1k"),
    ],
)
def test_weights_that_cannot_be_had_are_one_line(opened, tmp_path, monkeypatch, name, error, says):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(error, match=says) as caught:
        opened(name)

    assert "\n" not in str(caught.value)
