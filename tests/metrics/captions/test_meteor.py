"""METEOR in Python against the program in Java: its golden rows, its stems, long texts, and the Python door."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.metrics import meteor as meteor_of
from bench.metrics.captions.meteor.counting import meteor_counts
from bench.metrics.captions.meteor.formula import meteor, without_whole_chunks
from bench.metrics.captions.meteor.stemming import stem

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "meteor"


@pytest.fixture(scope="module")
def making() -> Any:
    """Returns the module that made the golden rows."""
    spec = importlib.util.spec_from_file_location("making_meteor", GOLDEN / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows() -> tuple[list[tuple[str, list[str]]], np.ndarray]:
    """Returns captions with their references, and what the program counted for each."""
    stored = json.loads((GOLDEN / "rows.json").read_text("utf-8"))
    return [(item[0], item[1:]) for item in stored["items"]], without_whole_chunks(np.array(stored["rows"]))


def test_every_count_is_the_programs(rows):
    pairs, expected = rows
    found = meteor_counts(pairs)
    wrong = np.flatnonzero((found != expected).any(axis=1))
    assert [pairs[place] for place in wrong] == []


def test_the_golden_captions_have_the_scores_of_pycocoevalcap(golden):
    counts = meteor_counts([(lines[0], lines[1:]) for lines in golden["tokens"]])
    np.testing.assert_allclose(meteor(counts), golden["items"]["METEOR"], rtol=1e-12, atol=1e-15)
    assert meteor(counts.sum(axis=0)) == pytest.approx(golden["corpus"]["METEOR"], rel=1e-12)


@pytest.mark.slow
def test_other_captions_too_are_counted_as_by_the_program(making, java):
    pairs = making.items(1, 300)
    np.testing.assert_array_equal(meteor_counts(pairs), without_whole_chunks(np.array(making.asked(pairs))))


def test_who_else_is_scored_changes_no_count(rows):
    pairs, expected = rows
    some = [len(pairs) - 1 - place for place in range(0, len(pairs), 7)]
    np.testing.assert_array_equal(meteor_counts([pairs[place] for place in some]), expected[some])
    np.testing.assert_array_equal(
        np.concatenate([meteor_counts([pairs[place]]) for place in some[:9]]), expected[some[:9]]
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), st.lists(st.text(max_size=30), min_size=1, max_size=3)), max_size=4))
def test_any_text_has_counts_that_fit_together(pairs):
    counts = meteor_counts(pairs)
    assert counts.shape == (len(pairs), 23)
    for side in (0, 1):
        np.testing.assert_array_equal(counts[:, 4 + side : 20 : 2].sum(axis=1), counts[:, 21 + side])
        assert (counts[:, 21 + side] <= counts[:, side]).all()
        assert (counts[:, 2 + side] <= counts[:, side]).all()
    assert ((meteor(counts) >= 0) & (meteor(counts) <= 1)).all()


def test_a_caption_that_is_its_reference_is_worth_one():
    whole, (same, other) = meteor_of(["a man runs", "a dog"], [["the cat", "a man runs"], ["two birds"]])
    assert (same, other) == (pytest.approx(1.0), 0.0)
    assert 0 < whole < 1


@pytest.mark.parametrize(
    ("captions", "references", "says"),
    [
        (["a"], [], "1 caption and references of 0"),
        (["a"], ["a man"], "a list of references"),
        (["a"], [[]], "at least one"),
    ],
)
def test_captions_without_references_of_their_own_are_refused(captions, references, says):
    with pytest.raises(UsageError, match=says):
        meteor_of(captions, references)


def test_no_captions_have_no_score():
    assert meteor_of([], []) == (0.0, [])


SNOWBALL_2 = {
    # word: (snowballstemmer 2.2.0, 3.1.1)
    "added": ("ad", "add"),
    "abbed": ("ab", "abb"),
    "organing": ("organ", "organe"),
    "emergency": ("emerg", "emergenc"),
    "evening": ("even", "evening"),
    "university": ("univers", "universiti"),
    "internal": ("intern", "internal"),
    "international": ("intern", "internat"),
    "interval": ("interv", "interval"),
    "interment": ("inter", "interment"),
    "biologist": ("biologist", "biolog"),
    "lateral": ("later", "lateral"),
    "realization": ("realiz", "realiz"),
    "quantization": ("quantiz", "quantiz"),
    "ionization": ("ioniz", "ioniz"),
    "rotationally": ("rotat", "rotat"),
    "skating": ("skate", "skate"),
    "skiing": ("ski", "ski"),
    "skis": ("ski", "ski"),
    "skies": ("sky", "sky"),
    "dying": ("die", "die"),
    "news": ("news", "news"),
    "generously": ("generous", "generous"),
    "communication": ("communic", "communic"),
    "arsenal": ("arsenal", "arsenal"),
    "happily": ("happili", "happili"),
    "running": ("run", "run"),
    "hopping": ("hop", "hop"),
    "falling": ("fall", "fall"),
    "agreed": ("agre", "agre"),
    "cries": ("cri", "cri"),
    "tied": ("tie", "tie"),
    "yes": ("yes", "yes"),
    "boys": ("boy", "boy"),
    "sayings": ("say", "say"),
    "youthful": ("youth", "youth"),
    "the's": ("the", "the"),
    "dogs'": ("dog", "dog"),
    "is": ("is", "is"),
    "by": ("by", "by"),
    "hopefully": ("hope", "hope"),
    "rational": ("ration", "ration"),
    "conditional": ("condit", "condit"),
    "national": ("nation", "nation"),
    "electricity": ("electr", "electr"),
    "sensitive": ("sensit", "sensit"),
    "adoption": ("adopt", "adopt"),
    "controlled": ("control", "control"),
    "proceed": ("proceed", "proceed"),
    "herring": ("herring", "herring"),
    "singly": ("singl", "singl"),
    "feed": ("feed", "feed"),
    "hoped": ("hope", "hope"),
    "bathe": ("bath", "bath"),
    "rate": ("rate", "rate"),
    "rolling": ("roll", "roll"),
    "'tis": ("tis", "tis"),
    "y": ("y", "y"),
}
"""Where the releases differ, and words by which every rule is used."""


@pytest.mark.parametrize("word", SNOWBALL_2)
def test_stems_are_those_of_snowball_2(word):
    assert stem(word) == SNOWBALL_2[word][0]


def test_stems_are_neither_those_of_snowball_3_nor_of_nltk():
    from nltk.stem.snowball import SnowballStemmer

    assert sum(old != new for old, new in SNOWBALL_2.values()) >= 8
    english = SnowballStemmer("english")
    apart = [word for word in SNOWBALL_2 if english.stem(word) != SNOWBALL_2[word][0]]
    assert {"realization", "quantization", "ionization"} <= set(apart)
