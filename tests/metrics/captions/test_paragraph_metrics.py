"""SODA_c and how captions vary: equal to the published programs, and worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.errors import VerificationError
from bench.evidence.kinds import kind_of
from bench.evidence.verification import verify
from bench.metrics.captions.evidence import measure, value_of, video_values
from bench.metrics.captions.items import Sentence, VideoCaptions, rules
from bench.metrics.captions.scoring import CaptionScores, score
from bench.metrics.captions.soda import Telling, best_in_order, soda_c
from bench.metrics.captions.variety import variety_counts, words_of
from bench.results import Evidence
from bench.scoring.caption_files import joined, read_captions

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "paragraphs"


def scored(protocol, *references: str) -> CaptionScores:
    told = [read_captions(GOLDEN / name)[0] for name in references]
    return score(joined(read_captions(GOLDEN / "said.json")[0], told)[0], rules(protocol))


@pytest.fixture(scope="module")
def published() -> dict:
    return json.loads((GOLDEN / "scores.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def dense() -> CaptionScores:
    return scored("densevid", "told_1.json", "told_2.json")


def test_soda_c_equals_release_1_1_of_its_authors_program(published, dense):
    one = scored("densevid", "told_1.json")
    assert value_of(one.evidence, "SODA_c") == pytest.approx(100 * published["soda_c"]["told_1"]["f1"], rel=1e-12)
    assert value_of(dense.evidence, "SODA_c") == pytest.approx(100 * published["soda_c"]["both"]["f1"], rel=1e-12)


def test_repetition_diversity_vocabulary_and_length_equal_the_published_programs(published, dense):
    paragraphs, told = scored("paragraph", "told_1.json").evidence, published["paragraphs"]
    for evidence in (paragraphs, dense.evidence):
        assert value_of(evidence, "Rep-4") == pytest.approx(100 * told["re4"], rel=1e-12)
        assert value_of(evidence, "Div-2") == pytest.approx(100 * told["div2"], rel=1e-12)
        assert value_of(evidence, "Vocabulary") == told["vocabulary"]
        assert value_of(evidence, "Words/sentence") == pytest.approx(told["sentence length"], rel=1e-12)


def test_stories_are_paired_in_order_and_never_across():
    assert best_in_order(np.array([[0.2, 0.9], [0.8, 0.3]])) == 0.9  # 0.9 and 0.8 would cross
    assert best_in_order(np.array([[0.5, 0.9], [0.0, 0.6]])) == pytest.approx(1.1)
    told = Telling(np.array([[0.5, 0.0]]), np.array([[1, -1]]))  # one sentence told, two said
    better = Telling(np.array([[1.0, 0.0]]), np.array([[0, -1]]))
    assert soda_c([[told, better], []], np.array([0.6, 0.3])).tolist() == pytest.approx([2 * 0.6 / 3, 0.0])


def test_what_says_the_same_at_the_same_times_has_the_most_soda_c():
    told = tuple(Sentence(text, (10.0 * i, 10.0 * i + 9)) for i, text in enumerate(["a man runs", "a dog sits down"]))
    late = tuple(Sentence(s.text, (100.0 + s.segment[0], 100.0 + s.segment[1])) for s in told)
    videos = [VideoCaptions("a", told, (told,)), VideoCaptions("b", late, (told,)), VideoCaptions("c", None, (told,))]
    values = score(videos, rules("densevid")).evidence.counts["soda"]
    assert 0.9 < values[0] <= 1.0
    assert values[1:].tolist() == [0.0, 0.0]


def test_n_grams_end_with_their_sentence_and_empty_sentences_are_not_counted():
    said = [Sentence("A man, runs down ."), Sentence(""), Sentence("a man runs down."), Sentence(".")]
    again = [Sentence("a b c d e"), Sentence("x a b c d")]
    # sentences, words, distinct bigrams, 4-grams, repeated ones, words new in lower case
    assert variety_counts([said, again, []]).tolist() == [[2, 8, 4, 2, 0, 4], [2, 10, 5, 4, 1, 5], [0] * 6]
    assert words_of("two,  three ,") == ["two", "three", ""]  # a comma at the end is a word there, too


def test_videos_of_which_nothing_was_said_have_no_say_in_how_captions_vary():
    told = (Sentence("a man runs", (0.0, 9.0)),)
    repeats = (Sentence("a b c d a b c d", (0.0, 9.0)),)
    videos = [VideoCaptions("a", repeats, (told,)), VideoCaptions("b", None, (told,)), VideoCaptions("c", (), (told,))]
    found = {m.name: m for m in score(videos, rules("densevid")).measurements}
    assert (found["Rep-4"].value, found["Rep-4"].n) == (20.0, 1)
    assert found["Words/video"].value == 8.0
    assert found["SODA_c"].n == 3
    silent = score([VideoCaptions("b", None, (told,))], rules("densevid")).measurements
    assert not {"Rep-4", "Vocabulary"} & {m.name for m in silent}


def test_they_follow_from_saved_evidence_and_have_intervals_but_for_the_vocabulary(dense, tmp_path):
    dense.evidence.save(tmp_path / "e.safetensors")
    verify(Evidence.load(tmp_path / "e.safetensors"), dense.measurements)
    named = {m.name: m for m in dense.measurements}
    assert [name for name, m in named.items() if m.ci95 is None] == ["Vocabulary"]
    assert all(m.ci95[0] < m.value < m.ci95[1] for m in dense.measurements if m.ci95)
    assert [name for name, m in named.items() if m.higher_is_better is False] == ["Rep-4"]
    neither = [name for name, m in named.items() if m.higher_is_better is None]
    assert neither == ["Vocabulary", "Words/sentence", "Words/video"]
    older = [
        m if m.higher_is_better is not None else m.model_copy(update={"higher_is_better": True}) for m in named.values()
    ]
    assert verify(dense.evidence, older) == dense.measurements  # records had to state a direction
    for name in ("SODA_c", "Rep-4", "Div-2", "Words/sentence", "Words/video"):
        assert video_values(dense.evidence, name).mean() == pytest.approx(value_of(dense.evidence, name), rel=1e-12)


def test_models_are_compared_in_what_tells_them_apart(dense):
    kind = kind_of(dense.evidence)
    assert "SODA_c" in kind.compared(dense.evidence)
    assert "Rep-4" not in kind.compared(dense.evidence)
    assert not kind.unit_values(dense.evidence, "Rep-4").higher_is_better
    assert kind.unit_values(dense.evidence, "Words/sentence") is None
    assert kind.comparable(dense.evidence).endswith("SODA_c, Rep-4, Div-2")


def test_older_evidence_keeps_its_measurements_and_edits_are_found(dense):
    kind = kind_of(dense.evidence)
    older = Evidence(
        {name: rows for name, rows in dense.evidence.counts.items() if name not in ("soda", "variety")},
        dense.evidence.pool,
        dense.evidence.n_items,
        dense.evidence.kind,
    )
    assert kind.as_kept(dense.evidence, older).counts.keys() == older.counts.keys()
    assert [m.name for m in measure(older)] == [m.name for m in dense.measurements][:7]
    for name, value in (("soda", 1.5), ("variety", 200)):
        rows = dense.evidence.counts[name].copy()
        rows.reshape(-1)[0] = value
        edited = Evidence({**dense.evidence.counts, name: rows}, older.pool, older.n_items, older.kind)
        with pytest.raises(VerificationError, match=f"evidence {name}"):
            measure(edited)
