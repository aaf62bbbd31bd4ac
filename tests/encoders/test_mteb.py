"""Models of mteb as encoders, through its real `get_model` and `encode`: toys of ours, and tiny CLIP and X-CLIP."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.errors import MissingData, UnsupportedTask, UsageError

pytestmark = pytest.mark.extra("mteb")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Returns a cache of the Hub that holds tiny models of transformers under the names of toys."""
    from bench_encoders.torchvision_import import import_torchvision

    import_torchvision()
    from mteb_toys import REVISION
    from tiny_models import transformers_folder

    place = tmp_path_factory.mktemp("cache")
    for kind in ("clip", "xclip"):
        repository = place / f"models--toys--{kind}"
        folder = transformers_folder(repository / "snapshots" / REVISION, kind)
        about = json.loads((folder / "tokenizer_config.json").read_text())
        (folder / "tokenizer_config.json").write_text(json.dumps(about | {"model_max_length": 16}))
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(REVISION)
    return place


@pytest.fixture(autouse=True)
def cached(cache, monkeypatch):
    """Makes mteb know the toys, and their weights be on this machine."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))


@pytest.mark.parametrize(
    ("name", "capabilities", "numbers"),
    [
        ("toys/colours", "FrameEncoder, TextEncoder", "embed_frames 5, embed_texts 5"),
        ("toys/both", "ClipEncoder, TextEncoder", "embed_windows 5, embed_texts 5"),
        ("toys/clip", "FrameEncoder, TextEncoder", "embed_frames 24, embed_texts 24"),
    ],
)
def test_it_keeps_the_promises_of_an_encoder(checked, name, capabilities, numbers):
    found = checked(f"mteb:{name}")

    assert (found["declared capabilities"], found["dimension, float32, finite"]) == (capabilities, numbers)
    assert found["weights are stated"].startswith("stated: ")


def test_vectors_are_those_that_mteb_makes(opened, picture):
    import mteb
    import torch
    from datasets import Dataset, Features, Image
    from mteb._create_dataloaders import _create_dataloader_from_texts, _custom_collate_fn
    from PIL import Image as Pillow
    from torch.utils.data import DataLoader

    frames, texts = [picture(50, 70, seed) for seed in (0, 1)], ["a man plays guitar", "dog", "the red ball " * 9]
    encoder = opened("mteb:toys/clip")
    model, task = mteb.get_model("toys/clip", device="cpu"), encoder.loaded.task
    pictures = Dataset.from_dict({"image": [Pillow.fromarray(f) for f in frames]}, Features({"image": Image()}))
    asked = {"task_metadata": task, "hf_split": "test", "hf_subset": "default", "show_progress_bar": False}
    shown = model.encode(DataLoader(pictures, batch_size=2, collate_fn=_custom_collate_fn), **asked)
    said = model.encode(_create_dataloader_from_texts(texts), **asked)

    ours = encoder.embed_texts(texts) @ encoder.embed_frames(torch.stack([encoder.prepare(f) for f in frames])).T
    np.testing.assert_allclose(ours.numpy(), model.similarity(said, shown).numpy(), atol=1e-6)


def test_a_model_of_videos_is_the_same_by_another_door(opened, cache, picture):
    from mteb_toys import REVISION

    window = np.stack([picture(50, 70, seed) for seed in range(4)])
    texts = ["a man plays guitar", "dog", "the red ball"]
    doors = ("mteb:toys/xclip", f"transformers:{cache / 'models--toys--xclip' / 'snapshots' / REVISION}")
    cosines = []
    for encoder in map(opened, doors):
        (seen,) = encoder.embed_windows(encoder.prepare_window(window)[None])
        cosines.append((encoder.embed_texts(texts) @ seen).numpy())

    np.testing.assert_allclose(*cosines, atol=2e-3)  # two resizers


def test_a_model_of_videos_sees_the_frames_of_the_window_and_no_others(opened, picture):
    frames = np.stack([picture(20, 30, seed) for seed in range(3)])
    encoder = opened("mteb:toys/both")
    encoder.prepare_window(frames)

    column, seen, task, role = encoder.loaded.model.seen[-1]
    assert (column, task, role) == ("video", "MSRVTTT2V", "document")
    np.testing.assert_array_equal(seen.permute(0, 2, 3, 1).numpy(), frames)


def test_a_model_of_images_sees_the_frame_as_it_is(opened, picture):
    encoder = opened("mteb:toys/both", modality="image", task="MSVDT2VRetrieval")
    encoder.prepare(picture(20, 30))
    encoder.embed_texts(["red"])

    (image, seen, *_), (text, said, task, role) = encoder.loaded.model.seen[-2:]
    assert (image, text, said, task, role) == ("image", "text", "red", "MSVDT2VRetrieval", "query")
    np.testing.assert_array_equal(np.asarray(seen), picture(20, 30))


def test_a_window_that_a_model_would_thin_out_is_refused(opened):
    opened("mteb:toys/any-length", window=6)
    with pytest.raises(UsageError, match=r"of a window of 8 frames, toys/any-length took 6 \(0, 1, 3, 4, 6, 7\)"):
        opened("mteb:toys/any-length", window=8)


def test_texts_that_are_not_read_to_the_end_are_counted(opened):
    encoder = opened("mteb:toys/colours")
    texts = ["red green blue white", "red green blue white dog", "the dog", "", "a b c d efg"]
    assert (encoder.truncated(texts), encoder.truncated([]), encoder.max_tokens) == (2, 0, 6)


@pytest.mark.parametrize(
    ("name", "settings", "error", "says"),
    [
        ("mteb", {}, UsageError, "name a model that mteb knows: mteb:openai/clip-vit-base-patch32"),
        ("mteb:clip-vit-base-patch32", {}, UsageError, r"knows no model .*: openai/clip-vit-base-patch32"),
        ("mteb:toys/color", {}, UsageError, r"knows no model 'toys/color'. Near it, .* toys/colours"),
        ("mteb:toys/words", {}, UnsupportedTask, "toys/words reads text alone, and is asked about frames here"),
        ("mteb:toys/late", {}, UnsupportedTask, "is late-interaction, compared by MaxSim"),
        ("mteb:toys/service", {}, UnsupportedTask, "is a service behind a network"),
        ("mteb:toys/coded", {}, UsageError, r"Read that code, then allow it: settings: \{remote_code: true\}"),
        ("mteb:OpenGVLab/ViCLIP-B-16-hf", {}, UsageError, "mteb may run code that lies in its repository"),
        ("mteb:toys/long", {}, UsageError, "dot product of vectors whose lengths differ"),
        ("mteb:toys/any-length", {}, UsageError, r"takes videos of any length.*settings: \{window: 16\}"),
        ("mteb:toys/colours", {"modality": "video"}, UsageError, "Write modality=image, or leave it out"),
        ("mteb:toys/colours", {"task": "MSRVTT"}, UsageError, "knows no task 'MSRVTT'. Near it: MSRVTT"),
        ("mteb:toys/unmet", {}, MissingData, r"missing required dependencies: .*pip install .*mteb\[flagembedding"),
        ("mteb:openai/clip-vit-base-patch32", {}, MissingData, r"files\. Fetch them: hf download openai/clip-vit"),
    ],
)
def test_what_cannot_be_asked_is_one_line(opened, name, settings, error, says):
    with pytest.raises(error, match=says) as caught:
        opened(name, **settings)

    assert "\n" not in str(caught.value)


def test_it_is_a_model_by_its_name_and_the_record_says_which(bench_command, tmp_path):
    from cli.conftest import install
    from PIL import Image

    folder = bench_command.folder
    painted = {"red": (250, 10, 5), "green": (5, 240, 10), "blue": (8, 3, 245), "white": (240, 250, 245)}
    (folder / "pictures").mkdir()
    for name, colour in painted.items():
        Image.new("RGB", (40, 20), colour).save(folder / "pictures" / f"{name}.png")
    (folder / "captions.json").write_text(json.dumps({name: [f"a {name} thing"] for name in painted}))
    (folder / "bench.yaml").write_text(
        "version: 1\n"
        "datasets: {mine: {reader: captions, root: ., features: seen, splits: {test: {file: captions.json}}}}\n"
        "features: {seen: {videos: pictures, encoder: 'mteb:toys/colours', sampler: frames=1}}\n"
    )
    site = install(tmp_path / "site", Path(__file__).with_name("mteb_toys.py"), "mteb-toys")
    said = bench_command(
        "run", "-m", "mteb:toys/colours", "-t", "mine-retrieval", "--extract", "--json", path=site
    ).stdout

    record = json.loads(said[said.index("[") :])[0]
    measured = {m["name"]: m["value"] for m in record["measurements"]}
    assert (measured["t2v/R@1"], measured["v2t/R@1"]) == (100, 100)
    assert record["model"]["name"] == "mteb:toys/colours"
    made = json.loads((folder / "packs" / "seen" / "pack.json").read_text())["made"]
    assert made["weights"] == f"mteb {_version()}, toys/colours at {'0' * 40}"


def _version():
    from importlib.metadata import version

    return version("mteb")
