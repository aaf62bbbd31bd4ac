"""Tokens by our rules: the golden ones of Stanford's tokeniser, line breaks, and how often they agree on real text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.metrics.captions.tokenising import PUNCTUATION, one_line, tokenised

BREAKS = ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\x00", "\t")


def cut(sentence: str) -> list[str]:
    return tokenised([sentence], "regex")[0].split(" ")


def test_our_rules_cut_the_golden_captions_as_ptb_did(golden):
    written = [[caption, *texts] for caption, texts in zip(golden["captions"], golden["references"], strict=True)]
    assert [tokenised(texts, "regex") for texts in written] == golden["tokens"]


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


def test_our_rules_agree_with_ptb_on_real_captions(shared, java):
    import gzip
    import json

    path = shared("data/activitynet_captions/val_2.json.gz")
    told = json.loads(gzip.decompress(path.read_bytes()))
    sentences = [sentence for video in sorted(told)[::2] for sentence in told[video]["sentences"]]
    same = [a == b for a, b in zip(tokenised(sentences, "ptb"), tokenised(sentences, "regex"), strict=True)]
    assert sum(same) / len(same) >= 0.9995
