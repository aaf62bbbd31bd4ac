"""Dual encoders of open_clip with tiny random weights, by its real loading, preprocessing and tokenizers."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import install

from bench.errors import MissingData, UsageError

pytestmark = pytest.mark.extra("open-clip")


@pytest.fixture(scope="module", params=["clip", "siglip"])
def folder(request, tmp_path_factory):
    from bench_encoders.torchvision_import import import_torchvision

    import_torchvision()
    from tiny_models import open_clip_folder

    return open_clip_folder(tmp_path_factory.mktemp("open-clip") / "tiny", tokenizer=request.param == "siglip")


def test_it_keeps_the_promises_of_an_encoder(checked, folder):
    found = checked("open-clip", repository=str(folder))

    assert found["declared capabilities"] == "FrameEncoder, TextEncoder"
    assert found["dimension, float32, finite"] == "embed_frames 24, embed_texts 24"
    assert found["weights are stated"] == "stated: repository, a fingerprint"
    assert found["long texts"] == "16 tokens"


def test_vectors_are_those_of_the_library(opened, folder, picture):
    import open_clip
    import torch
    from PIL import Image

    encoder = opened("open-clip", repository=str(folder))
    model, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    model.eval()
    frame, texts = picture(90, 120), ["a man plays guitar", "dog " * 40, ""]
    with torch.no_grad():
        image = model.encode_image(prepare(Image.fromarray(frame))[None], normalize=True)
        text = model.encode_text(tokenizer(texts), normalize=True)

    np.testing.assert_allclose(encoder.embed_frames(encoder.prepare(frame)[None]).numpy(), image.numpy(), atol=1e-6)
    np.testing.assert_allclose(encoder.embed_texts(texts).numpy(), text.numpy(), atol=1e-6)
    assert encoder.truncated(["dog " * 14, "dog " * 15]) == 1


CONFIG = """
version: 1
datasets:
  mine:
    {{reader: captions, root: ., features: seen, segments: none, captions: each, splits: {{test: {{file: said.json}}}}}}
features:
  seen: {{videos: pictures, encoder: open-clip, settings: {{repository: {folder}}}, sampler: frames=1}}
"""


def test_captions_are_scored_as_the_library_compares(bench_in, folder, picture, tmp_path):
    import open_clip
    import torch
    from PIL import Image

    frames = {name: Image.fromarray(picture(60, 80, seed)) for seed, name in enumerate("abc")}
    said = {name: ["a dog runs", f"a man plays guitar {name}"] for name in frames}
    (tmp_path / "pictures").mkdir()
    for name, frame in frames.items():
        frame.save(tmp_path / "pictures" / f"{name}.png")
    (tmp_path / "said.json").write_text(json.dumps(said))
    (tmp_path / "bench.yaml").write_text(CONFIG.format(folder=folder))
    site = install(tmp_path / "site", Path(__file__).parents[1] / "cli" / "toy_captioners.py", "toy-captioners")
    bench = partial(bench_in(tmp_path), path=site)

    bench("features", "extract", "seen", "--jobs", "1")
    run = json.loads(bench("run", "-m", "Counting", "-t", "mine-captioning", "--json").stdout)[0]["run"]
    told = json.loads(bench("clipscore", f"runs/{run}", "--json").stdout)

    model, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    model.eval()
    for one in told["captions"]:
        with torch.no_grad():
            seen = model.encode_image(prepare(frames[one["video"]])[None], normalize=True)
            texts = model.encode_text(
                tokenizer([f"A photo depicts {text}" for text in (one["caption"], *said[one["video"]])]), normalize=True
            )
        clip = 2.5 * max(float(seen @ texts[0]), 0)
        nearest = max(float((texts[1:] @ texts[0]).max()), 0)
        assert one["CLIPScore"] == pytest.approx(clip, abs=1e-5)
        assert one["RefCLIPScore"] == pytest.approx(2 * clip * nearest / (clip + nearest) if clip else 0, abs=1e-5)
    assert "|encoder=open-clip|" in told["signature"]
    assert str(folder) not in json.dumps(told)


def test_weights_may_be_a_file_of_a_known_architecture(opened, tmp_path):
    import open_clip
    from safetensors.torch import save_file

    config = {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1},
    }
    (tmp_path / "Tiny-32.json").write_text(json.dumps(config))
    open_clip.add_model_config(tmp_path)
    save_file(dict(open_clip.create_model("Tiny-32").state_dict()), tmp_path / "w.safetensors")

    encoder = opened("open-clip:Tiny-32", weights=str(tmp_path / "w.safetensors"))

    assert (encoder.dim, encoder.max_tokens) == (24, 77)
    assert encoder.truncated(["dog " * 75, "dog " * 76]) == 1


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("open-clip", UsageError, "weights come from one place, and none is named"),
        ("open-clip:ViT-B-32", UsageError, "weights come from one place, and none is named"),
        ("open-clip:ViT-B-33/openai", UsageError, "no architecture 'ViT-B-33'.*ViT-B-32"),
        ("open-clip:ViT-B-32/of-nobody", UsageError, "ViT-B-32 has no weights called 'of-nobody'. Known: openai"),
        ("open-clip:ViT-B-32/openai", UsageError, "Write open-clip:ViT-B-32-quickgelu/openai"),
        ("open-clip:ViT-B-32-quickgelu/openai", MissingData, "hf download timm/vit_base_patch32_clip_224.openai"),
        ("open-clip:ViT-B-16-SigLIP2/webli", MissingData, "Fetch it: hf download timm/ViT-B-16-SigLIP2"),
    ],
)
def test_weights_that_cannot_be_had_are_one_line(opened, tmp_path, monkeypatch, name, error, says):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(error, match=says) as caught:
        opened(name)

    assert "\n" not in str(caught.value)
