"""Weights of the user are read as tensors or not at all."""

from __future__ import annotations

import io

import pytest
import torch
from safetensors.torch import save

from bench.errors import InvalidData
from bench_encoders.checkpoints import load_weights, tensors_in

TENSORS = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}


def saved(value: object) -> bytes:
    data = io.BytesIO()
    torch.save(value, data)
    return data.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.safetensors", save(TENSORS)),
        ("a.pth", saved(TENSORS)),
        ("a.pt", saved({"state_dict": {f"module.{name}": value for name, value in TENSORS.items()}, "epoch": 3})),
        ("a.ckpt", saved({"model": TENSORS})),
    ],
)
def test_tensors_come_out_of_every_usual_form(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    layer = torch.nn.Linear(3, 2)

    load_weights(layer, str(tmp_path / name))

    assert layer.weight.tolist() == TENSORS["weight"].tolist()


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.safetensors", b"not weights at all", "no weights that can be read safely"),
        ("a.pth", b"not weights at all", "no weights that can be read safely"),
        ("a.pth", b"", "no weights that can be read safely"),
        ("a.pth", saved(torch.nn.Linear(3, 2)), "no weights that can be read safely"),
        ("a.pth", saved([torch.ones(2)]), "no dictionary of tensors"),
        ("a.pth", saved({"weight": 3}), "no dictionary of tensors"),
    ],
)
def test_anything_else_is_refused_in_one_line(name, data, says):
    with pytest.raises(InvalidData, match=says) as caught:
        tensors_in(data, name)

    assert "\n" not in str(caught.value)


def test_weights_of_another_network_are_refused_in_one_line(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(save(TENSORS))

    with pytest.raises(InvalidData, match=r"a\.safetensors holds the weights of another network: .*size mismatch"):
        load_weights(torch.nn.Linear(4, 2), str(tmp_path / "a.safetensors"))
