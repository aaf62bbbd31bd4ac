"""C3D in the layout of its paper, with random weights."""

from __future__ import annotations

import numpy as np
import pytest

from bench.errors import InvalidData, UsageError

pytestmark = pytest.mark.extra("c3d")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    from tiny_models import c3d_file

    return c3d_file(tmp_path_factory.mktemp("c3d") / "c3d.safetensors", mean=100.0)


@pytest.fixture
def narrow(tmp_path, monkeypatch):
    """Returns weights for an eighth of the channels, which C3D then has: the layers of the paper, in a second."""
    from tiny_models import c3d_file

    from bench_encoders import c3d

    layers = [(name, max(3, size // 8), further // 8, pooled) for name, size, further, pooled in c3d.LAYERS[:-1]]
    name, size, further, pooled = c3d.LAYERS[-1]
    monkeypatch.setattr(c3d, "LAYERS", (*layers, (name, size // 8, further, pooled)))
    return c3d_file(tmp_path / "c3d.safetensors", mean=100.0)


def test_it_keeps_the_promises_of_an_encoder(checked, narrow):
    found = checked("c3d", weights=str(narrow))

    assert found["declared capabilities"] == "ClipEncoder"
    assert found["dimension, float32, finite"] == "embed_windows 4096"
    assert found["frames of any size"] == "embed_windows 3×16×112×112"


def test_the_mean_is_subtracted_and_colours_are_in_the_order_of_the_authors(opened, weights):
    frames = np.zeros((16, 240, 320, 3), np.uint8) + np.uint8([10, 20, 30])

    usual, turned = opened("c3d", weights=str(weights)), opened("c3d", weights=str(weights), channels="rgb")

    assert usual.prepare_window(frames)[:, 0, 0, 0].tolist() == [-70, -80, -90]
    assert turned.prepare_window(frames)[:, 0, 0, 0].tolist() == [-90, -80, -70]


def test_a_window_has_the_size_of_the_paper_at_every_layer(weights):
    import torch

    from bench_encoders.c3d import LAYERS, C3DNetwork

    network, shapes = C3DNetwork("fc7"), []
    for name, *_ in LAYERS:
        network.get_submodule(name).register_forward_hook(lambda *seen: shapes.append(tuple(seen[2].shape[1:])))
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 16, 112, 112)).shape == (1, 4096)

    assert shapes[0] == (64, 16, 112, 112)
    assert shapes[-1] == (512, 2, 7, 7)
    assert sum(weights.numel() for weights in network.parameters()) == 27_655_936 + 33_558_528 + 16_781_312


def test_weights_are_asked_for_and_have_to_fit(opened, weights):
    with pytest.raises(UsageError, match="Name the file: weights=FILE"):
        opened("c3d")
    with pytest.raises(InvalidData, match=r"c3d\.safetensors holds no C3D, conv1a to fc7: .*fc7"):
        opened("c3d", weights=str(weights), layer="fc7")
