"""Models that score pair by pair: tiles, what is kept of a killed run, what is refused, and the ranking after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.annotations import RetrievalAnnotations
from bench.errors import InvalidData, ModelError, VerificationError
from bench.evidence.verification import verify
from bench.execution import Execution
from bench.inputs import Inputs
from bench.matching import Matching
from bench.models import VideoTextScorer
from bench.predictions import Embeddings, PairScores, load_predictions
from bench.tasks.asking.pair_scoring import duration
from bench.tasks.retrieval import ParagraphVideoRetrieval
from bench.tasks.task import Scratch

TASK = ParagraphVideoRetrieval(base="toy-retrieval", dataset="toy", split="val_1")
COUNT = 11


class NumberedVideos:
    """Videos whose batch is the list of their numbers."""

    def __init__(self, count: int) -> None:
        self.rows = np.array([3 + (7 * i) % 5 for i in range(count)])
        self.ids = tuple(f"v{i:03}" for i in range(count))

    def __len__(self) -> int:
        return len(self.rows)

    def batches(self, groups: Sequence[Sequence[int]], device: str) -> Iterator[Any]:
        return iter([list(group) for group in groups])


class Scorer:
    """Scores video i and the paragraph 'word j' by -(i - j)^2; remembers what it was asked."""

    def __init__(self, die_after: int = -1) -> None:
        self.die_after = die_after
        self.encoded: list[list[int]] = []
        self.read: list[list[int]] = []
        self.tiles = 0

    def encode_videos(self, videos: Any) -> torch.Tensor:
        self.encoded.append(videos)
        return torch.tensor(videos, dtype=torch.float32)

    def encode_paragraphs(self, paragraphs: Sequence[tuple[str, ...]]) -> torch.Tensor:
        self.read.append([int(paragraph[0].split()[1]) for paragraph in paragraphs])
        return torch.tensor(self.read[-1], dtype=torch.float32)

    def score(self, videos: Any, paragraphs: Any) -> Any:
        if self.tiles == self.die_after:
            raise KeyboardInterrupt
        self.tiles += 1
        return -((paragraphs[:, None] - videos[None, :]) ** 2)


class Broken(Scorer):
    def __init__(self, answer: Any) -> None:
        super().__init__()
        self._answer = answer

    def score(self, videos: Any, paragraphs: Any) -> Any:
        return self._answer(len(paragraphs), len(videos))


def inputs_of(count: int = COUNT) -> Inputs:
    order = list(reversed(range(count)))
    return Inputs(
        videos=NumberedVideos(count),  # type: ignore[arg-type]
        paragraph_ids=tuple(f"p{i:03}" for i in order),
        paragraphs=tuple((f"word {i}", "more " * (i % 3)) for i in order),
    )


def annotations_of(count: int = COUNT) -> RetrievalAnnotations:
    return RetrievalAnnotations(Matching.of({f"p{i:03}": [f"v{i:03}"] for i in range(count)}), pool="a" * 64)


def predict(model: Any, scratch: Scratch | None = None, batch_size: int = 4) -> PairScores:
    found = TASK.predict(model, inputs_of(), Execution(batch_size=batch_size), lambda *_: None, scratch)
    assert isinstance(found, PairScores)
    return found


def scratch_in(folder: Path, key: str = "k") -> tuple[Scratch, list[str]]:
    lines: list[str] = []
    return Scratch(folder / "tiles", key, lines.append), lines


def expected() -> np.ndarray:
    order = np.arange(COUNT)
    return -((order[::-1, None] - order[None, :]) ** 2).astype(np.float32)


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_scores_are_put_back_by_position(batch_size: int) -> None:
    assert isinstance(Scorer(), VideoTextScorer)
    found = predict(Scorer(), batch_size=batch_size)
    np.testing.assert_array_equal(found.scores, expected())
    assert found.scores.dtype == np.float32
    assert (found.video_ids, found.paragraph_ids) == (inputs_of().videos.ids, inputs_of().paragraph_ids)


def test_each_side_is_encoded_once() -> None:
    model = Scorer()
    predict(model)
    for sides in (model.encoded, model.read):
        assert sorted(i for group in sides for i in group) == list(range(COUNT))
    assert model.tiles == 9


def test_progress_counts_pairs() -> None:
    seen: list[tuple[int, int]] = []
    TASK.predict(Scorer(), inputs_of(), Execution(batch_size=8), lambda done, total, _: seen.append((done, total)))
    assert seen == [(64, 121), (88, 121), (112, 121), (121, 121)]


def test_a_killed_scoring_goes_on_from_its_tiles_with_equal_scores(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        predict(Scorer(die_after=5), scratch_in(tmp_path)[0])
    again, (scratch, lines) = Scorer(), scratch_in(tmp_path)
    found = predict(again, scratch)
    assert again.tiles == 4
    np.testing.assert_array_equal(found.scores, expected())
    assert "scored earlier and are kept" in lines[0]


def test_when_all_tiles_are_there_nothing_is_computed(tmp_path: Path) -> None:
    predict(Scorer(), scratch_in(tmp_path)[0])
    again = Scorer()
    np.testing.assert_array_equal(predict(again, scratch_in(tmp_path)[0]).scores, expected())
    assert (again.tiles, again.encoded, again.read) == (0, [], [])


@pytest.mark.parametrize("change", [{"key": "other weights"}, {"batch_size": 5}])
def test_tiles_of_other_weights_or_other_groups_are_computed_anew(tmp_path: Path, change: dict[str, Any]) -> None:
    predict(Scorer(), scratch_in(tmp_path)[0])
    again = Scorer()
    found = predict(again, scratch_in(tmp_path, change.get("key", "k"))[0], change.get("batch_size", 4))
    assert again.tiles == 9
    np.testing.assert_array_equal(found.scores, expected())


def test_a_damaged_tile_is_refused(tmp_path: Path) -> None:
    predict(Scorer(), scratch_in(tmp_path)[0])
    tile = next(tmp_path.glob("tiles/*"))
    tile.write_bytes(tile.read_bytes()[:-3])
    with pytest.raises(InvalidData, match=tile.name):
        predict(Scorer(), scratch_in(tmp_path)[0])


def test_the_time_it_will_take_is_said_after_the_first_tile(tmp_path: Path) -> None:
    scratch, lines = scratch_in(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        predict(Scorer(die_after=1), scratch)
    assert len(lines) == 1
    assert "121 pairs to score, in 9 tiles" in lines[0]
    predict(Scorer(), (whole := scratch_in(tmp_path / "whole"))[0], batch_size=100)
    assert whole[1] == [], "there are no others"
    assert [duration(s) for s in (2, 600, 7300)] == ["2 s", "10 min", "2.0 h"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda p, v: torch.zeros(p, v + 1), "shape"),
        (lambda p, v: torch.zeros(p - 1, v), "shape"),
        (lambda p, v: torch.zeros(p), "shape"),
        (lambda p, v: torch.full((p, v), float("nan")), "NaN or infinity"),
        (lambda p, v: torch.full((p, v), float("-inf")), "NaN or infinity"),
        (lambda p, v: torch.zeros(p, v, dtype=torch.float64), "float64"),
        (lambda p, v: torch.zeros(p, v, dtype=torch.bfloat16), "bfloat16"),
        (lambda p, v: np.zeros((p, v), dtype=np.float32), "ndarray"),
    ],
)
def test_an_unusable_tile_is_refused_and_not_kept(tmp_path: Path, answer: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        predict(Broken(answer), scratch_in(tmp_path)[0], batch_size=8)
    assert not list(tmp_path.glob("tiles/*"))


def test_the_right_scores_rank_perfectly_and_verify() -> None:
    scored = TASK.score(predict(Scorer()), annotations_of(), "cpu")
    values = {m.name: m.value for m in scored.measurements}
    assert values["t2v/R@1"] == values["v2t/R@1"] == 100.0
    verify(scored.evidence, scored.measurements)


def test_scores_and_embeddings_of_equal_similarity_rank_equally() -> None:
    generator = np.random.default_rng(0)
    videos, texts = (generator.standard_normal((40, 8), dtype=np.float32) for _ in range(2))
    ids, text_ids = tuple(f"v{i:03}" for i in range(40)), tuple(f"p{i:03}" for i in reversed(range(40)))
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (texts, videos)]
    for missing in (frozenset(), frozenset({"v003", "v039"})):
        kept = [i for i, name in enumerate(ids) if name not in missing]
        names = tuple(ids[i] for i in kept)
        annotations = replace(annotations_of(40), missing=missing)
        one = TASK.score(Embeddings(names, videos[kept], text_ids, texts), annotations, "cpu")
        two = TASK.score(PairScores(names, text_ids, unit[0] @ unit[1][kept].T), annotations, "cpu")
        for way in ("t2v", "v2t"):
            np.testing.assert_array_equal(one.evidence.counts[way], two.evidence.counts[way])


def test_a_constant_scorer_gets_chance() -> None:
    constant = replace(predict(Scorer()), scores=np.zeros((COUNT, COUNT), dtype=np.float32))
    values = {m.name: m.value for m in TASK.score(constant, annotations_of(), "cpu").measurements}
    assert values["t2v/R@5"] == values["v2t/R@5"] == pytest.approx(100 * 5 / COUNT)


def test_nan_scores_are_never_ranked() -> None:
    predictions = predict(Scorer())
    predictions.scores[2, 3] = np.nan
    with pytest.raises(ModelError, match="NaN or infinit"):
        predictions.check("toy")
    with pytest.raises(ModelError, match="NaN or infinit"):
        TASK.score(predictions, annotations_of(), "cpu")


def test_scores_of_another_test_set_are_refused() -> None:
    with pytest.raises(VerificationError, match="another test set"):
        TASK.score(predict(Scorer()), annotations_of(COUNT + 1), "cpu")


def test_scores_are_saved_and_read_back(tmp_path: Path) -> None:
    predictions = predict(Scorer())
    predictions.save(tmp_path / "p")
    found = load_predictions(tmp_path / "p", TASK.answers)
    assert isinstance(found, PairScores)
    np.testing.assert_array_equal(found.scores, predictions.scores)
    assert (found.video_ids, found.paragraph_ids) == (predictions.video_ids, predictions.paragraph_ids)
