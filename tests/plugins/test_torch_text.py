from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nltk.tokenize import NLTKWordTokenizer, TreebankWordDetokenizer
from nltk.tokenize.destructive import MacIntyreContractions

from bench.api import InvalidData, Ragged
from bench_torch.text import UNKNOWN, Vocabulary, join, joined, select, start_vectors, tokenize

PARAGRAPHS = [("A dog runs.", "It jumps."), ("A cat sleeps",)]


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        (" The man's dog doesn't bark.", ["the", "man", "'s", "dog", "does", "n't", "bark", "."]),
        ("He runs. He jumps.", ["he", "runs", ".", "he", "jumps", "."]),
        ("Line\nbreak", ["line", "break"]),
        ("Café Ünder", ["café", "ünder"]),
        ("", [UNKNOWN]),
        ("  \n", [UNKNOWN]),
    ],
)
def test_a_sentence_is_lower_cased_and_split_as_nltk_does(sentence: str, words: list[str]) -> None:
    assert list(tokenize(sentence)) == words


CONTRACTED = [re.sub(r"\(\?.*?\)|\\b|[()]", "", rule) for rule in MacIntyreContractions.CONTRACTIONS2]
WORD = st.one_of(st.text("abenotwz07", min_size=1, max_size=8), st.sampled_from(["d", "ll", "re", "s", "not", "na"]))


@given(st.lists(st.one_of(WORD, st.sampled_from(CONTRACTED)), max_size=8))
def test_plain_words_are_cut_and_joined_as_by_nltk(words: list[str]) -> None:
    sentence = " ".join(words)
    assert "gonna" in CONTRACTED
    cut = NLTKWordTokenizer().tokenize(sentence)
    assert list(tokenize(sentence)) == (cut or [UNKNOWN])
    for own in (words, cut):
        assert joined(own) == TreebankWordDetokenizer().detokenize(own)


def test_a_vocabulary_holds_the_words_of_its_paragraphs_in_alphabetical_order() -> None:
    words = Vocabulary.of(PARAGRAPHS).words
    assert words == (UNKNOWN, ".", "a", "cat", "dog", "it", "jumps", "runs", "sleeps")


def test_an_unknown_word_gets_number_zero() -> None:
    text = Vocabulary.of(PARAGRAPHS).encode([("A zebra sleeps.",)])
    assert text.sentences.values.tolist() == [2, 0, 8, 1]


def test_text_keeps_words_of_sentences_and_of_whole_paragraphs() -> None:
    text = Vocabulary.of(PARAGRAPHS).encode(PARAGRAPHS)
    assert text.counts.tolist() == [2, 1]
    assert text.sentences.lengths.tolist() == [4, 3, 3]
    assert text.paragraphs().lengths.tolist() == [7, 3]
    assert text.paragraphs().values.tolist() == text.sentences.values.tolist()


@given(st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=4), min_size=1, max_size=6), st.data())
def test_selected_text_equals_encoding_the_selected_paragraphs(shape: list[list[int]], draw: st.DataObject) -> None:
    letters = iter("abcdefghijklmnopqrstuvwxyz" * 4)
    paragraphs = [tuple(" ".join(next(letters) for _ in range(n)) for n in counts) for counts in shape]
    chosen = draw.draw(st.lists(st.integers(0, len(paragraphs) - 1), min_size=1, max_size=5))
    vocabulary = Vocabulary.of(paragraphs)
    selected = vocabulary.encode(paragraphs).select(chosen)
    expected = vocabulary.encode([paragraphs[i] for i in chosen])
    assert torch.equal(selected.sentences.values, expected.sentences.values)
    assert torch.equal(selected.sentences.lengths, expected.sentences.lengths)
    assert torch.equal(selected.counts, expected.counts)


def test_sequences_are_selected_and_joined_whole() -> None:
    sequences = Ragged(torch.arange(6), torch.tensor([1, 3, 2]))
    chosen = select(sequences, torch.tensor([2, 0, 2]))
    assert (chosen.values.tolist(), chosen.lengths.tolist()) == ([4, 5, 0, 4, 5], [2, 1, 2])
    both = join(sequences, chosen)
    assert (both.values.tolist(), len(both)) == ([*range(6), 4, 5, 0, 4, 5], 6)


def test_a_paragraph_without_sentences_is_refused() -> None:
    with pytest.raises(InvalidData, match="paragraph 1 has no sentences"):
        Vocabulary.of(PARAGRAPHS).encode([("A dog.",), ()])


def glove(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "vectors.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_only_words_of_the_glove_file_are_kept_and_start_from_it(tmp_path: Path) -> None:
    file = glove(tmp_path, "zebra 9 9\ndog 1 2\n. . . 3 3\ncat 0.5 -1e-1\ndog 7 7\n")
    vocabulary, vectors = start_vectors(Vocabulary.of(PARAGRAPHS), 2, file)
    assert vocabulary.words == (UNKNOWN, "cat", "dog")
    np.testing.assert_allclose(vectors[1:], [[0.5, -0.1], [1, 2]])
    assert vectors.dtype == torch.float32


def test_without_a_file_vectors_are_random_and_seeded() -> None:
    vocabulary = Vocabulary.of(PARAGRAPHS)
    torch.manual_seed(3)
    first = start_vectors(vocabulary, 4, None)[1]
    torch.manual_seed(3)
    assert torch.equal(first, start_vectors(vocabulary, 4, None)[1])
    assert first.shape == (len(vocabulary), 4)


def test_a_file_of_other_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="none of the"):
        start_vectors(Vocabulary.of(PARAGRAPHS), 2, glove(tmp_path, "zebra 1 2\n"))
