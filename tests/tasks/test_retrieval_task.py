"""The retrieval task: what models see, what they may answer, and that scoring depends on ids and never on order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from bench.annotations import RetrievalAnnotations
from bench.errors import ModelError, UsageError, VerificationError
from bench.evidence.verification import verify
from bench.execution import Execution
from bench.inputs import Inputs, Paragraph, View
from bench.matching import Matching
from bench.metrics.rank_statistics import KS
from bench.models import VideoTextEncoder, VideoTextScorer
from bench.predictions import Embeddings
from bench.tasks.retrieval import ParagraphVideoRetrieval
from bench.tasks.task import Task

TASK = ParagraphVideoRetrieval(base="toy-retrieval", dataset="toy", split="val_1")


def ignore(done: int, total: int, values: Mapping[str, float]) -> None:
    """Progress that nobody watches."""


class NumberedVideos:
    """Videos whose batch is the list of their numbers; records the batches that were asked for."""

    def __init__(self, rows: Sequence[int]) -> None:
        self.rows = np.array(rows)
        self.ids = tuple(f"v{i:03}" for i in range(len(rows)))
        self.dim = 4
        self.asked: list[list[int]] = []

    def __len__(self) -> int:
        return len(self.rows)

    def batches(self, groups: Sequence[Sequence[int]], device: str) -> Iterator[Any]:
        for group in groups:
            self.asked.append(list(group))
            yield list(group)


class Numbers:
    """A model that embeds video i, and the paragraph of the words 'word i', as the pair (1, i)."""

    def embed_videos(self, videos: Any) -> torch.Tensor:
        return torch.tensor([[1.0, float(i)] for i in videos])

    def embed_paragraphs(self, paragraphs: Sequence[Paragraph]) -> torch.Tensor:
        return torch.tensor([[1.0, float(paragraph[0].split()[1])] for paragraph in paragraphs])


def inputs_of(count: int) -> Inputs:
    """Returns videos of varying length and paragraphs in reversed order."""
    order = list(reversed(range(count)))
    return Inputs(
        videos=NumberedVideos([3 + (7 * i) % 5 for i in range(count)]),  # type: ignore[arg-type]
        paragraph_ids=tuple(f"p{i:03}" for i in order),
        paragraphs=tuple((f"word {i}", "more " * (i % 3)) for i in order),
    )


def annotations_of(count: int) -> RetrievalAnnotations:
    return RetrievalAnnotations(Matching.of({f"p{i:03}": [f"v{i:03}"] for i in range(count)}), pool="a" * 64)


def noisy(count: int, seed: int = 0) -> Embeddings:
    generator = np.random.default_rng(seed)
    videos = generator.standard_normal((count, 8), dtype=np.float32)
    return Embeddings(
        video_ids=tuple(f"v{i:03}" for i in range(count)),
        videos=videos,
        paragraph_ids=tuple(f"p{i:03}" for i in range(count)),
        paragraphs=videos + generator.standard_normal((count, 8), dtype=np.float32),
    )


def test_it_is_a_task() -> None:
    task: Task = TASK
    assert task.accepts == (VideoTextEncoder, VideoTextScorer)
    assert task.primary == "t2v/R@1"
    assert task.rules() == {"ties": "expected", "dtype": "float32"}


def test_the_name_shows_parameters_that_differ_from_the_default() -> None:
    uniform = TASK.with_parameters({"segments": "uniform-4"})
    assert (TASK.name, uniform.name) == ("toy-retrieval", "toy-retrieval:segments=uniform-4")
    assert uniform.view == View("uniform-4")
    assert uniform.parameters == {"segments": "uniform-4", "set": "none"}
    assert uniform.with_parameters({"segments": "gt"}) == TASK
    own = replace(TASK, view=View("none"), default=View("none"))
    assert own.name == "toy-retrieval"
    assert own.with_parameters({"segments": "gt"}).name == "toy-retrieval:segments=gt"


def test_an_unknown_parameter_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no parameter 'clips'. Parameters: segments"):
        TASK.with_parameters({"clips": "4"})


def test_an_unknown_segment_source_is_refused() -> None:
    with pytest.raises(UsageError, match="not a segment source"):
        TASK.with_parameters({"segments": "uniform-0"})


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_embeddings_are_put_back_by_position(batch_size: int) -> None:
    inputs = inputs_of(11)
    found = TASK.predict(Numbers(), inputs, Execution(batch_size=batch_size), ignore)
    assert found.videos.dtype == found.paragraphs.dtype == np.float32
    assert found.videos[:, 1].tolist() == list(range(11))
    assert found.paragraphs[:, 1].tolist() == list(reversed(range(11)))
    assert (found.video_ids, found.paragraph_ids) == (inputs.videos.ids, inputs.paragraph_ids)


def test_the_longest_videos_come_first() -> None:
    inputs = inputs_of(11)
    TASK.predict(Numbers(), inputs, Execution(batch_size=4), ignore)
    asked = [i for group in inputs.videos.asked for i in group]  # type: ignore[attr-defined]
    rows = inputs.videos.rows[asked].tolist()
    assert rows == sorted(rows, reverse=True)


def test_progress_counts_videos_and_paragraphs() -> None:
    seen: list[tuple[int, int]] = []
    TASK.predict(
        Numbers(), inputs_of(5), Execution(batch_size=3), lambda done, total, values: seen.append((done, total))
    )
    assert seen == [(3, 10), (5, 10), (8, 10), (10, 10)]


class Broken(Numbers):
    """A model whose answer for videos is replaced."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def embed_videos(self, videos: Any) -> Any:
        return self._answer(len(videos))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda n: torch.ones(n - 1, 2), "shape"),
        (lambda n: torch.ones(n), "shape"),
        (lambda n: torch.full((n, 2), float("nan")), "NaN or infinity"),
        (lambda n: torch.ones(n, 2, dtype=torch.float64), "float64"),
        (lambda n: torch.ones(n, 2, dtype=torch.bfloat16), "bfloat16"),
        (lambda n: np.ones((n, 2), dtype=np.float32), "ndarray"),
        (lambda n: torch.ones(n, n), "earlier batch"),
        (lambda n: torch.ones(n, 3), "needs one space"),
    ],
)
def test_an_unusable_answer_is_refused(answer: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        TASK.predict(Broken(answer), inputs_of(7), Execution(batch_size=4), ignore)


def test_perfect_embeddings_score_perfectly() -> None:
    predictions = TASK.predict(Numbers(), inputs_of(40), Execution(), ignore)
    scored = TASK.score(predictions, annotations_of(40), "cpu")
    values = {m.name: m.value for m in scored.measurements}
    assert list(values) == [
        f"{way}/{name}" for way in ("t2v", "v2t") for name in [*(f"R@{k}" for k in KS), "MedR", "MeanR"]
    ]
    assert values["t2v/R@1"] == values["v2t/R@1"] == 100.0
    assert values["t2v/MedR"] == values["v2t/MeanR"] == 1.0
    assert scored.evidence.pool == "a" * 64


def test_what_is_scored_verifies() -> None:
    scored = TASK.score(noisy(60), annotations_of(60), "cpu")
    verify(scored.evidence, scored.measurements)


def test_the_order_of_rows_changes_nothing() -> None:
    predictions = noisy(60)
    mixed = np.random.default_rng(1).permutation(60)
    other = np.random.default_rng(2).permutation(60)
    shuffled = Embeddings(
        video_ids=tuple(predictions.video_ids[i] for i in mixed),
        videos=predictions.videos[mixed],
        paragraph_ids=tuple(predictions.paragraph_ids[i] for i in other),
        paragraphs=predictions.paragraphs[other],
    )
    one, two = (TASK.score(p, annotations_of(60), "cpu") for p in (predictions, shuffled))
    assert one.measurements == two.measurements
    for direction in ("t2v", "v2t"):
        assert (one.evidence.counts[direction] == two.evidence.counts[direction]).all()


def test_t2v_asks_with_paragraphs() -> None:
    # Every paragraph is nearest to video 0; every video is nearest to its own paragraph.
    videos = np.array([[1.0, 0.0], [0.8, 0.6]], dtype=np.float32)
    paragraphs = np.array([[1.0, 0.1], [0.99, 0.2]], dtype=np.float32)
    scored = TASK.score(Embeddings(("v000", "v001"), videos, ("p000", "p001"), paragraphs), annotations_of(2), "cpu")
    assert scored.evidence.counts["t2v"][:, 0].tolist() == [0, 1]
    assert scored.evidence.counts["v2t"][:, 0].tolist() == [0, 0]


def test_a_constant_model_scores_chance() -> None:
    ones = np.ones((80, 3), dtype=np.float32)
    constant = replace(noisy(80), videos=ones, paragraphs=ones)
    values = {m.name: m.value for m in TASK.score(constant, annotations_of(80), "cpu").measurements}
    for k in KS:
        assert values[f"t2v/R@{k}"] == values[f"v2t/R@{k}"] == pytest.approx(100 * k / 80)


@pytest.mark.parametrize("side", ["videos", "paragraphs"])
def test_nan_predictions_are_never_ranked(side: str) -> None:
    predictions = noisy(20)
    getattr(predictions, side)[3, 2] = np.nan
    with pytest.raises(ModelError, match="NaN or infinity"):
        TASK.score(predictions, annotations_of(20), "cpu")


@pytest.mark.parametrize("count", [19, 21])
def test_predictions_of_another_test_set_are_refused(count: int) -> None:
    with pytest.raises(VerificationError, match="another test set"):
        TASK.score(noisy(20), annotations_of(count), "cpu")


def test_an_id_that_occurs_twice_is_refused() -> None:
    predictions = noisy(3)
    with pytest.raises(VerificationError, match="videos"):
        TASK.score(replace(predictions, video_ids=("v000", "v000", "v001")), annotations_of(3), "cpu")


def without_videos(predictions: Embeddings, missing: set[str]) -> Embeddings:
    kept = [i for i, name in enumerate(predictions.video_ids) if name not in missing]
    return replace(
        predictions,
        video_ids=tuple(predictions.video_ids[i] for i in kept),
        videos=predictions.videos[kept],
    )


def test_missing_videos_rank_last_and_change_nothing_else() -> None:
    # Videos 0 and 1 stand apart, video 2 is missing. Paragraph 2 looks like video 1 and disturbs it.
    videos = np.array([[1, 0], [0, 1]], dtype=np.float32)
    paragraphs = np.array([[1, 0.1], [0.3, 1], [0, 1]], dtype=np.float32)
    predictions = Embeddings(("v000", "v001"), videos, ("p000", "p001", "p002"), paragraphs)
    annotations = replace(annotations_of(3), missing=frozenset({"v002"}))
    counts = TASK.score(predictions, annotations, "cpu").evidence.counts
    assert counts["t2v"].tolist() == [[0, 0, 1], [0, 0, 1], [2, 0, 1]]
    assert counts["v2t"].tolist() == [[0, 0, 1], [1, 0, 1], [2, 0, 1]]


def test_missing_videos_agree_with_a_gallery_in_which_they_are_the_farthest() -> None:
    predictions, missing = noisy(60), frozenset({"v003", "v030", "v059"})
    scored = TASK.score(without_videos(predictions, set(missing)), replace(annotations_of(60), missing=missing), "cpu")
    unit = predictions.videos / np.linalg.norm(predictions.videos, axis=1, keepdims=True)
    texts = predictions.paragraphs / np.linalg.norm(predictions.paragraphs, axis=1, keepdims=True)
    scores = texts @ unit.T
    absent = [int(name[1:]) for name in sorted(missing)]
    by_text, by_video = scores.copy(), scores.T.copy()
    by_text[:, absent] = -2.0
    t2v = (by_text > np.diag(by_text)[:, None]).sum(1)
    v2t = (by_video > np.diag(by_video)[:, None]).sum(1)
    t2v[absent] = v2t[absent] = 59
    assert scored.evidence.counts["t2v"][:, 0].tolist() == t2v.tolist()
    assert scored.evidence.counts["v2t"][:, 0].tolist() == v2t.tolist()
    verify(scored.evidence, scored.measurements)


def test_a_video_that_is_neither_predicted_nor_missing_is_refused() -> None:
    annotations = replace(annotations_of(20), missing=frozenset({"v003"}))
    with pytest.raises(VerificationError, match="another test set"):
        TASK.score(without_videos(noisy(20), {"v003", "v004"}), annotations, "cpu")
    with pytest.raises(VerificationError, match="another test set"):
        TASK.score(noisy(20), annotations, "cpu")
