"""BLEU, ROUGE-L and CIDEr: hand-worked cases, agreement with pycocoevalcap, and what holds for any captions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.metrics.captions.bleu import bleu, bleu_counts
from bench.metrics.captions.cider import cider
from bench.metrics.captions.meteor.formula import meteor
from bench.metrics.captions.ngrams import ngram_counts
from bench.metrics.captions.rouge import common_lengths, rouge_l
from bench.metrics.captions.texts import encode, number_items

WORDS = ["a", "b", "c", "d", "e", "the", "man"]
sentences = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
spoken = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join)
corpora = st.lists(st.tuples(sentences, st.lists(spoken, min_size=1, max_size=3)), min_size=1, max_size=6)


def ours(
    captions: Sequence[str], references: Sequence[Sequence[str]]
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    texts, items = number_items(captions, references)
    encoded = encode(texts)
    orders = list(ngram_counts(encoded))
    counts = bleu_counts(encoded, orders, items)
    found = {f"BLEU@{k + 1}": bleu(counts)[:, k] for k in range(4)}
    found |= {"ROUGE-L": rouge_l(encoded, items), "CIDEr": cider(encoded, orders, items)}
    whole = {f"BLEU@{k + 1}": bleu(counts.sum(axis=0))[k] for k in range(4)}
    return whole | {name: found[name].mean() for name in ("ROUGE-L", "CIDEr")}, found


@settings(max_examples=60, deadline=None)
@given(corpora)
def test_any_corpus_scores_as_pycocoevalcap_has_it(reference_scores, corpus):
    captions, references = [caption for caption, _ in corpus], [texts for _, texts in corpus]
    expected, per_item = reference_scores(captions, references)
    found, mine = ours(captions, references)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-12, abs=1e-12), name
        np.testing.assert_allclose(mine[name], per_item[name], rtol=1e-12, atol=1e-12, err_msg=name)


def test_real_captions_score_as_pycocoevalcap_has_it(shared, reference_scores):
    import gzip
    import json

    from bench.metrics.captions.tokenising import tokenised

    folder = shared("data/activitynet_captions/val_2.json.gz").parent
    first, second = (
        json.loads(gzip.decompress((folder / f"{name}.json.gz").read_bytes())) for name in ("val_1", "val_2")
    )
    videos = sorted(second)[::20]
    captions = tokenised([first[video]["sentences"][0] for video in videos], "regex")
    references = [tokenised(second[video]["sentences"], "regex") for video in videos]
    expected, per_item = reference_scores(captions, references)
    found, mine = ours(captions, references)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-12, abs=1e-12), name
        np.testing.assert_allclose(mine[name], per_item[name], rtol=1e-12, atol=1e-12, err_msg=name)


def test_the_published_example_has_its_published_values():
    # The example in the README of pycocoevalcap's successors: one good word too many.
    found, _ = ours(["this is a good test"], [["this is a test", "this is also a test"]])
    expected = {"BLEU@1": 0.799999, "BLEU@2": 0.632455, "BLEU@3": 0.510873, "BLEU@4": 0.0000903602, "ROUGE-L": 0.907063}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=2e-6), name


def test_an_ngram_counts_at_most_as_often_as_in_one_reference():
    # "the" occurs twice in the first reference: 2 of 7, as in the paper on BLEU.
    found, _ = ours(["the the the the the the the"], [["the cat is on the mat", "there is a cat on the mat"]])
    assert found["BLEU@1"] == pytest.approx(2 / 7, rel=1e-8)


def test_of_two_reference_lengths_equally_close_the_shorter_counts():
    texts, items = number_items(["a b c"], [["a b c d", "a b"]])
    encoded = encode(texts)
    assert bleu_counts(encoded, list(ngram_counts(encoded)), items)[0, -1] == 2


def test_rouge_takes_the_longest_common_subsequence_not_substring():
    # "a c e" of "a b c d e": precision 1, recall 3/5, F with beta 1.2.
    found, _ = ours(["a c e"], [["a b c d e"]])
    assert found["ROUGE-L"] == pytest.approx((1 + 1.44) * 0.6 / (0.6 + 1.44))


def test_rouge_of_nothing_is_nothing():
    # pycocoevalcap gives 1 for an empty caption against an empty reference: it splits '' into one empty word.
    _, mine = ours(["", "", "a"], [[""], ["a"], [""]])
    assert mine["ROUGE-L"].tolist() == [0.0, 0.0, 0.0]


def test_cider_of_one_item_is_zero_as_every_ngram_is_in_all_references():
    found, _ = ours(["a man runs"], [["a man runs"]])
    assert found["CIDEr"] == 0.0


def test_cider_of_a_copy_among_unlike_items_is_ten_where_all_orders_exist():
    _, mine = ours(["a b c d e", "x"], [["a b c d e"], ["the man"]])
    assert mine["CIDEr"][0] == pytest.approx(10.0)


def test_cider_counts_documents_within_each_corpus():
    captions, references = ["a b", "c d", "a b", "c y"], [["a b"], ["a d"], ["a b c"], ["c y"]]
    texts, items = number_items(captions, references, np.array([0, 0, 1, 1]))
    encoded = encode(texts)
    together = cider(encoded, list(ngram_counts(encoded)), items)
    apart = [ours(captions[i : i + 2], references[i : i + 2])[1]["CIDEr"] for i in (0, 2)]
    np.testing.assert_allclose(together, np.concatenate(apart), rtol=1e-12)
    assert not np.allclose(together, ours(captions, references)[1]["CIDEr"])


def plain_common_length(a: Sequence[str], b: Sequence[str]) -> int:
    rows = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            rows[i + 1][j + 1] = rows[i][j] + 1 if x == y else max(rows[i][j + 1], rows[i + 1][j])
    return rows[-1][-1]


@pytest.mark.parametrize("sizes", [(0, 5), (63, 200), (64, 64), (64, 300), (65, 70), (150, 400)])
def test_common_subsequences_of_any_length_are_found(sizes):
    rng = np.random.default_rng(sum(sizes))
    pair = [[WORDS[i] for i in rng.integers(0, len(WORDS), size)] for size in sizes]
    texts = encode([*map(" ".join, pair), "elsewhere"])
    found = common_lengths(texts, np.array([0, 1, 2]), np.array([1, 0, 0]))
    assert found.tolist() == [plain_common_length(*pair)] * 2 + [0]


@settings(max_examples=30, deadline=None)
@given(corpora)
def test_scores_stay_in_range_and_do_not_depend_on_the_order_of_items_or_references(corpus):
    captions, references = [caption for caption, _ in corpus], [texts for _, texts in corpus]
    found, mine = ours(captions, references)
    for name, value in found.items():
        assert 0.0 <= value <= (10.0 if name == "CIDEr" else 1.0) + 1e-9
    _, turned = ours(captions[::-1], [texts[::-1] for texts in references[::-1]])
    for name, values in mine.items():
        np.testing.assert_allclose(turned[name][::-1], values, rtol=1e-12, atol=1e-12)


def test_meteor_of_counts_without_words_or_matches_is_zero():
    counts = np.zeros((3, 23), dtype=np.int64)
    counts[1, :4] = (3, 4, 1, 2)
    counts[2, 1] = 4
    assert meteor(counts).tolist() == [0.0, 0.0, 0.0]


def test_meteor_of_a_copy_in_one_chunk_has_no_penalty():
    counts = np.zeros(23, dtype=np.int64)
    counts[[0, 1, 4, 5, 21, 22]] = 3
    assert meteor(counts) == pytest.approx(1.0)


def test_meteor_by_hand():
    # 4 of 5 content words match 4 of 4 exactly, in 2 chunks: P = 0.8, R = 1, F = 1/(0.15/0.8 + 0.85), frag = 2/4.
    counts = np.zeros(23, dtype=np.int64)
    counts[[0, 1]] = 5, 4
    counts[[4, 5, 21, 22]] = 4
    counts[20] = 2
    assert meteor(counts) == pytest.approx(1 / (0.15 / 0.8 + 0.85) * (1 - 0.6 * 0.5**0.2))
