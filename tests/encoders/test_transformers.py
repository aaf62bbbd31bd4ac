"""Models of transformers with tiny random weights, by its real loading, preprocessing and tokenizers."""

from __future__ import annotations

import numpy as np
import pytest

from bench.errors import InvalidData, UsageError

pytestmark = pytest.mark.extra("transformers")

KINDS = {
    "clip": ("FrameEncoder, TextEncoder", "embed_frames 24, embed_texts 24"),
    "siglip": ("FrameEncoder, TextEncoder", "embed_frames 32, embed_texts 32"),
    "xclip": ("ClipEncoder, TextEncoder", "embed_windows 24, embed_texts 24"),
    "videomae": ("ClipEncoder", "embed_windows 32"),
    "vjepa2": ("ClipEncoder", "embed_windows 32"),
    "dinov3": ("FrameEncoder", "embed_frames 32"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Returns a function from a kind of model to a folder with one of that kind; each is written once."""
    from bench_encoders.torchvision_import import import_torchvision

    import_torchvision()
    from tiny_models import transformers_folder

    place, written = tmp_path_factory.mktemp("transformers"), {}

    def write(kind):
        if kind not in written:
            written[kind] = transformers_folder(place / kind, kind)
        return written[kind]

    return write


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_the_promises_of_an_encoder(checked, folder, kind):
    found = checked(f"transformers:{folder(kind)}")

    assert (found["declared capabilities"], found["dimension, float32, finite"]) == KINDS[kind]
    assert found["weights are stated"] == "stated: repository, a fingerprint"


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_vectors_compare_as_the_library_compares(opened, folder, picture, kind):
    import torch
    import transformers

    encoder = opened(f"transformers:{folder(kind)}")
    model = transformers.AutoModel.from_pretrained(folder(kind)).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder(kind), backend="pil")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder(kind))
    frames, texts = [picture(50, 70, seed) for seed in (0, 1)], ["a man plays guitar", "dog", "the red ball " * 9]
    asked = tokenizer(texts, padding="max_length", truncation=True, max_length=16, return_tensors="pt")
    with torch.no_grad():
        logits = model(**asked, **processor(frames, return_tensors="pt")).logits_per_image

    pictures = encoder.embed_frames(torch.stack([encoder.prepare(frame) for frame in frames]))
    ours = pictures @ encoder.embed_texts(texts).T

    theirs = (logits - getattr(model, "logit_bias", 0)) / model.logit_scale.exp()
    np.testing.assert_allclose(ours.numpy(), theirs.detach().numpy(), atol=1e-5)
    assert encoder.truncated(texts) == 1


def test_windows_are_what_the_library_pools(opened, folder, picture):
    import torch
    import transformers

    encoder = opened(f"transformers:{folder('videomae')}")
    model = transformers.AutoModel.from_pretrained(folder("videomae")).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder("videomae"), backend="pil")
    window = np.stack([picture(50, 70, seed) for seed in range(encoder.window)])
    with torch.no_grad():
        expected = model(**processor(list(window), return_tensors="pt")).last_hidden_state.mean(1)

    ours = encoder.embed_windows(encoder.prepare_window(window)[None])

    np.testing.assert_allclose(ours.numpy(), expected.numpy(), atol=1e-5)


def test_what_cannot_be_loaded_whole_is_one_line(opened, folder, tmp_path):
    from safetensors.torch import load_file, save_file

    with pytest.raises(UsageError, match="name what to load: transformers:OWNER/NAME"):
        opened("transformers")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InvalidData, match="cannot be loaded"):
        opened(f"transformers:{tmp_path}")
    for file in folder("dinov3").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    tensors = load_file(tmp_path / "model.safetensors")
    tensors.pop(sorted(tensors)[0])
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(InvalidData, match=r"lacks 1 weights of DINOv3ViTModel, such as .*they would be random"):
        opened(f"transformers:{tmp_path}")
