"""Tokens by our rules: the golden ones of Stanford's tokeniser, line breaks, and how often they agree on real text."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.metrics.captions.tokenising import PUNCTUATION, one_line, tokenised

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "captions"
ODD = ("a+", "a-", "<a", "1,", "a'", "(", "a.", "@a")
BREAKS = ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\x00", "\t")


def cut(sentence: str) -> list[str]:
    return tokenised([sentence], "regex")[0].split(" ")


def test_our_rules_cut_the_golden_captions_as_ptb_did(golden):
    written = [[caption, *texts] for caption, texts in zip(golden["captions"], golden["references"], strict=True)]
    assert [tokenised(texts, "regex") for texts in written] == golden["tokens"]


def test_odd_texts_are_cut_as_ptb_cut_them():
    texts, cut = (json.loads((GOLDEN / name).read_text("utf-8")) for name in ("odd.json", "odd_tokens.json"))
    found = dict(zip(texts, tokenised(texts, "regex"), strict=True))
    assert {text: words for text, words in zip(texts, cut["tokens"], strict=True) if found[text] != words} == {}


@pytest.mark.slow
def test_a_caption_is_cut_alike_whatever_follows_it(java):
    texts = ["the boats of class A.", "The end is near", "he draws a T.", "We see it", "x"]
    assert tokenised(texts, "ptb") == tokenised(texts, "regex")
    assert tokenised(texts, "ptb")[0] == "the boats of class a."


@pytest.mark.parametrize(
    "text", ["a+" * 20_000, "a-" * 20_000, "<a" * 20_000, "1," * 20_000, "a'" * 20_000, "(" * 20_000]
)
def test_long_texts_of_odd_signs_are_cut(text):
    assert len(tokenised([text], "regex")[0]) > 20_000


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("He can't, won't and doesn't.", "he ca n't wo n't and does n't"),
        ("It's the dog's ball; they're his.", "it 's the dog 's ball they 're his"),
        ('I cannot say "stop" -- really...', "i can not say stop really"),
        ("They're gonna run.", "they 're gon na run"),
        ("Dr. Who meets Mr. X at 3 p.m.", "dr. who meets mr. x at 3 p.m."),
        ("A well-known 10-speed bike, 1,000.5 km.", "a well-known 10-speed bike 1,000.5 km"),
        ("one (1) [two] {3}", "one -lrb- 1 -rrb- -lsb- two -rsb- -lcb- 3 -rcb-"),
        ("Wait!! What??", "wait !! what ??"),
        ("Ünïcödé 日本 ok", "ünïcödé 日本 ok"),
    ],
)
def test_sentences_are_cut_by_the_rules_of_ptb(sentence, words):
    assert cut(sentence) == words.split(" ")


@pytest.mark.parametrize("sentence", ["", " ", "...", ". , ! ? ; : - --", "\n"])
def test_punctuation_alone_leaves_no_words(sentence):
    assert tokenised([sentence], "regex") == [""]


@pytest.mark.parametrize("line_break", BREAKS)
def test_a_line_break_within_a_caption_is_a_space(line_break):
    assert one_line(f"a man{line_break}runs") == "a man runs"


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text_is_one_line_of_words_without_punctuation(text):
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    (words,) = tokenised([text], "regex")
    assert not set(words.split(" ")) & PUNCTUATION


@pytest.mark.slow
def test_our_rules_cut_real_captions_as_ptb_does(shared, java):
    sentences = []
    for name in ("train", "val_1", "val_2"):
        told = json.loads(gzip.decompress(shared(f"data/activitynet_captions/{name}.json.gz").read_bytes()))
        sentences += [sentence for entry in told.values() for sentence in entry["sentences"]]
    for name in ("train", "val", "test"):
        path = shared(f"data/didemo/{name}_data_bwzhang.json.gz")
        sentences += [
            text for entry in json.loads(gzip.decompress(path.read_bytes())).values() for text in entry["description"]
        ]
    told = json.loads(gzip.decompress(shared("data/msvd_captions/training_label.json.gz").read_bytes()))
    sentences += [caption for entry in told for caption in entry["caption"]]
    assert len(sentences) > 114_000
    pairs = zip(sentences, tokenised(sentences, "ptb"), tokenised(sentences, "regex"), strict=True)
    assert [(text, ptb, ours) for text, ptb, ours in pairs if ptb != ours] == []
