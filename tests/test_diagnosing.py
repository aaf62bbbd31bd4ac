"""The findings of a diagnosis, by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bench.analysis.diagnose import _AskedModel, _clips, clip_findings, own_scores
from bench.annotations import RetrievalAnnotations
from bench.errors import ModelError
from bench.execution import Execution
from bench.inputs import Inputs, Ragged
from bench.matching import Matching
from bench.plugins.code import Guard
from bench.predictions import Embeddings, PairScores
from bench.runs.fit import Fitted
from bench.runs.progress import Silent
from bench.tasks.asking.embedding import EmbeddedParts, embed_sentences

CLIPS = EmbeddedParts(np.array([[1, 0], [0, 1], [-1, 0]], dtype=np.float32), np.array([2, 1]))


def test_clip_findings_by_hand():
    # Video 1: sentence 1 finds clip 1, sentence 2 prefers clip 1. The sentence of video 2 is nearest to clip 2.
    sentences = EmbeddedParts(np.array([[3, 1], [2, 1], [-1, 2]], dtype=np.float32), np.array([2, 1]))
    found = {finding.name: finding for finding in clip_findings(CLIPS, sentences, "cpu")}

    assert found["s2c/video/R@1"].value == 50.0
    assert found["s2c/video/R@1"].n == 2
    assert found["s2c/video/R@1"].chance == 50.0
    assert found["s2c/pool/R@1"].value == pytest.approx(100 / 3)
    assert found["s2c/pool/R@1"].chance == pytest.approx(100 / 3)
    assert found["s2c/pool/R@5"].value == found["s2c/pool/R@5"].chance == 100.0
    # Clip 2 is nearest to the sentence of video 2; in its own video sentence 2 is nearest.
    assert found["c2s/video/R@1"].value == 100.0
    assert found["c2s/pool/R@1"].value == pytest.approx(200 / 3)


def test_a_test_set_of_single_clips_has_no_ranking_within_videos():
    single = EmbeddedParts(CLIPS.values, np.array([1, 1, 1]))
    names = [finding.name for finding in clip_findings(single, single, "cpu")]
    assert not [name for name in names if "/video/" in name]
    assert len(names) == 6


def test_parts_are_taken_by_place():
    chosen = CLIPS.at(np.array([1, 0]))
    assert chosen.counts.tolist() == [1, 2]
    assert chosen.values.tolist() == [[-1, 0], [1, 0], [0, 1]]
    assert CLIPS.at(np.array([], dtype=np.int64)).values.shape == (0, 2)


def test_own_scores_are_cosines_or_what_the_model_said():
    ids = ("v0", "v1"), ("p0", "p1")
    videos, paragraphs = np.array([[2, 0], [0, 1]], np.float32), np.array([[1, 1], [5, 0]], np.float32)
    places = np.array([0, 1]), np.array([1, 0])
    assert own_scores(Embeddings(ids[0], videos, ids[1], paragraphs), *places) == pytest.approx([1.0, 0.5**0.5])
    scores = np.array([[1, 2], [3, 4]], np.float32)
    assert own_scores(PairScores(ids[0], ids[1], scores), *places).tolist() == [3.0, 2.0]


class Sentences:
    """Embeds a sentence as its length and 1; leaves the last one out when told to."""

    def __init__(self, short: bool) -> None:
        self._short = short

    def embed_clips(self, videos):
        raise NotImplementedError

    def embed_sentences(self, paragraphs):
        rows = [[float(len(sentence)), 1.0] for paragraph in paragraphs for sentence in paragraph]
        lengths = torch.tensor([len(paragraph) for paragraph in paragraphs])
        if self._short:
            rows, lengths[-1] = rows[:-1], lengths[-1] - 1
        return Ragged(torch.tensor(rows), lengths)


TEXT = Inputs(None, ("p0", "p1", "p2"), (("a", "bb"), ("cccccc", "ddddd", "eeee"), ("fff",)))


def test_sentences_come_back_in_the_order_of_the_inputs():
    found = embed_sentences(Sentences(short=False), TEXT, Execution(batch_size=2), lambda done: None)
    assert found.counts.tolist() == [2, 3, 1]
    assert found.values[:, 0].tolist() == [1, 2, 6, 5, 4, 3]


def test_a_model_that_forgets_a_sentence_is_refused():
    with pytest.raises(ModelError, match="one vector for each"):
        embed_sentences(Sentences(short=True), TEXT, Execution(batch_size=2), lambda done: None)


class Even:
    """Embeds every clip and every sentence as the same vector."""

    def embed_clips(self, videos):
        return Ragged(torch.ones(int(videos.segments.lengths.sum()), 2), videos.segments.lengths)

    def embed_sentences(self, paragraphs):
        lengths = torch.tensor([len(paragraph) for paragraph in paragraphs])
        return Ragged(torch.ones(int(lengths.sum()), 2), lengths)


class Counted:
    """Videos that show how many segments they have, and nothing else."""

    def __init__(self, *counts: int) -> None:
        self.rows = np.array(counts)
        self.ids = tuple(f"v{i}" for i in range(len(counts)))

    def __len__(self) -> int:
        return len(self.rows)

    def batches(self, groups, device):
        return (SimpleNamespace(segments=Ragged(None, torch.from_numpy(self.rows[group]))) for group in groups)


@pytest.mark.parametrize(
    ("counts", "pairs", "says"),
    [((2, 3, 1), 6, None), ((2, 2, 1), 3, "1 of 3 videos"), ((1, 2, 2), 0, "3 of 3 videos")],
)
def test_a_video_with_other_numbers_of_clips_than_sentences_is_left_out_and_counted(tmp_path, counts, pairs, says):
    asked = _AskedModel(
        cell=SimpleNamespace(spec=SimpleNamespace(name="even"), dataset=None, task=SimpleNamespace(split="test")),
        fitted=Fitted(Even(), None, 0.0, Guard("even", 0, tmp_path, Silent())),
        execution=Execution(),
        annotations=RetrievalAnnotations(Matching.of({f"p{i}": [f"v{i}"] for i in range(3)}), "pool"),
        reporter=Silent(),
    )
    findings, left_out = _clips(asked, replace(TEXT, videos=Counted(*counts)))

    assert says is None if not left_out else says in left_out["clips"]
    assert {finding.n for finding in findings if "/pool/" in finding.name} == ({pairs} if pairs else set())
    for finding in findings:  # whoever cannot tell clips apart gets what guessing gives
        assert finding.value == pytest.approx(finding.chance)
