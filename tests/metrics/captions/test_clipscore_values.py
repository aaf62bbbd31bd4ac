"""CLIPScore and RefCLIPScore: by hand, beside the authors' release, and what no vector may be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.api import ModelError, UsageError, clip_scores, ref_clip_scores
from bench.metrics.captions.clipscore import TEMPLATE

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "clipscore" / "scores.json").read_text())


def released():
    """Returns pictures, captions, references and their counts, as the release was given them."""
    texts = {name: np.array(vector) for name, vector in GOLDEN["texts"].items()}
    captions = [name for name in texts if name.startswith("c")]
    references = [[texts[name] for name in texts if name.startswith(f"r{one[1:]} ")] for one in captions]
    counts = np.array([len(own) for own in references])
    return np.array(GOLDEN["seen"]), np.stack([texts[name] for name in captions]), np.concatenate(references), counts


@pytest.mark.parametrize(("numbers", "apart"), [("float32", 2e-6), ("float16", 4e-3)])
def test_scores_are_those_of_the_release(numbers, apart):
    seen, captions, references, counts = released()
    said = GOLDEN[numbers]

    scores = clip_scores(seen, captions)

    assert scores == pytest.approx(np.array(said["CLIPScore"]), abs=apart)
    found = ref_clip_scores(scores, captions, references, counts)
    theirs = np.array(said["RefCLIPScore"])
    right = theirs >= 0  # below is what it makes of references on the other side, which the paper cuts off
    assert (~right).sum() == 1
    assert found[right] == pytest.approx(theirs[right], abs=apart)
    assert found[~right].tolist() == [0.0]
    assert said["read"] == [TEMPLATE.replace("{}", "c0")]


def test_scores_by_hand():
    seen, captions = np.array([[3.0, 4.0], [1.0, 0.0], [1.0, 0.0]]), np.array([[5.0, 0.0], [0.0, 2.0], [-1.0, 0.0]])

    scores = clip_scores(seen, captions)

    assert scores.tolist() == pytest.approx([1.5, 0.0, 0.0])
    references = np.array([[0.0, 1.0], [0.6, 0.8], [0.0, 1.0], [-2.0, 0.0]])
    nearest = 0.6
    found = ref_clip_scores(scores, captions, references, np.array([2, 1, 1]))
    assert found.tolist() == pytest.approx([2 * 1.5 * nearest / (1.5 + nearest), 0.0, 0.0])


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_lengths_of_vectors_do_not_count_and_scores_stay_in_their_range(seed, times):
    draw = np.random.default_rng(seed)
    seen, captions, references = draw.normal(size=(3, 6, 4))
    scores = clip_scores(seen, captions)
    assert clip_scores(times * seen, captions / times) == pytest.approx(scores)
    assert ((scores >= 0) & (scores <= 2.5)).all()
    both = ref_clip_scores(scores, captions, references, np.ones(6, dtype=int))
    assert ((both >= 0) & (both <= 10 / 7 + 1e-12)).all()
    assert ((both > 0) <= (scores > 0)).all()


@pytest.mark.parametrize(
    ("bad", "error", "says"),
    [
        (np.zeros((2, 3)), ModelError, "picture vector 0 is all zeros or not finite"),
        (np.array([[1.0, 1.0, 1.0], [np.nan, 1.0, 1.0]]), ModelError, "picture vector 1"),
        (np.ones((2, 4)), UsageError, "a vector of each, of one encoder"),
        (np.ones(3), UsageError, "expected"),
    ],
)
def test_vectors_without_direction_or_of_another_form_are_refused(bad, error, says):
    with pytest.raises(error, match=says):
        clip_scores(bad, np.ones((2, 3)))


def test_a_caption_without_a_reference_of_its_own_is_refused():
    with pytest.raises(UsageError, match="at least one reference of its own"):
        ref_clip_scores(np.ones(2), np.ones((2, 3)), np.ones((2, 3)), np.array([2, 0]))
