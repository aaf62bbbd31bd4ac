"""The captioning task: its names, what it asks of a model, and that scoring depends on ids and never on order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from bench.annotations import CaptionAnnotations, Described
from bench.errors import MissingData, ModelError, UsageError, VerificationError
from bench.execution import Execution
from bench.inputs import Inputs, Ragged, VideoBatch
from bench.models import VideoCaptioner
from bench.predictions import Captions, ClassScores
from bench.tasks.captioning import Captioning
from bench.tasks.task import AsSigned, Task

TASK = Captioning("toy-captioning", "toy", "val_1", ("corpus", "densevid"), ("val_1",), ("val_2",), java="off")
PARAGRAPHS = Captioning(
    "toy-paragraph-captioning", "toy", "ae-test", ("paragraph",), ("ae-test", "ae-val"), protocol="paragraph"
)


def ignore(done: int, total: int, values: Mapping[str, float]) -> None:
    """Progress that nobody watches."""


class Timed:
    """Videos of which video i has i % 3 + 1 segments, the j-th from j to j + 0.5 seconds; frames say nothing."""

    def __init__(self, count: int) -> None:
        self.ids = tuple(f"v{i:03}" for i in range(count))
        self.rows = np.array([3 + (7 * i) % 5 for i in range(count)])
        self.dim = 2

    def __len__(self) -> int:
        return len(self.ids)

    def batches(self, groups: Sequence[Sequence[int]], device: str) -> Iterator[VideoBatch]:
        for group in groups:
            counts = torch.tensor([i % 3 + 1 for i in group])
            times = torch.tensor([[j, j + 0.5] for i in group for j in range(i % 3 + 1)], dtype=torch.float32)
            frames = Ragged(torch.zeros(len(group), 2), torch.ones(len(group), dtype=torch.int64))
            yield VideoBatch(
                ids=tuple(self.ids[i] for i in group),
                frames=frames,
                segments=Ragged(times, counts),
                clip_frames=Ragged(torch.zeros(len(times), 2), torch.ones(len(times), dtype=torch.int64)),
                durations=torch.full((len(group),), 4.0),
            )


class Names:
    """Says the id of the video and the start of the segment."""

    def caption(self, videos: VideoBatch) -> list[tuple[str, ...]]:
        starts = iter(videos.segments.values[:, 0].tolist())
        counts = videos.segments.lengths.tolist()
        return [
            tuple(f"{video} at {next(starts):.0f}" for _ in range(count))
            for video, count in zip(videos.ids, counts, strict=True)
        ]


class Secret:
    """Paragraphs that nobody may look at."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the task asked for {name} of the test's sentences")


def asked(count: int) -> Inputs:
    return Inputs(videos=Timed(count), paragraph_ids=Secret(), paragraphs=Secret())  # type: ignore[arg-type]


def described(count: int) -> Described:
    segments = tuple((float(j), j + 0.5) for j in range(count))
    return Described(segments, tuple(f"somebody does thing {j}" for j in range(count)))


def annotations_of(count: int, missing: frozenset[str] = frozenset()) -> CaptionAnnotations:
    references = {f"v{i:03}": described(i % 3 + 1) for i in range(count)}
    return CaptionAnnotations((references,), "a" * 64, missing)


def captions_of(count: int) -> Captions:
    told = [described(i % 3 + 1) for i in range(count)]
    said = tuple(tuple(f"somebody does thing {i + j}" for j in range(i % 3 + 1)) for i in range(count))
    return Captions(tuple(f"v{i:03}" for i in range(count)), tuple(one.segments for one in told), said)


def test_it_is_a_task_that_asks_for_each_segment() -> None:
    task: Task = TASK
    assert isinstance(task, AsSigned)
    assert (task.accepts, task.primary, task.per_segment) == ((VideoCaptioner,), "CIDEr", True)


def test_the_name_shows_parameters_that_differ_from_the_default() -> None:
    usual = replace(TASK, java="off")
    assert usual.name == "toy-captioning"
    assert usual.with_parameters({"protocol": "densevid"}).name == "toy-captioning:protocol=densevid"
    other = usual.with_parameters({"references": "first", "protocol": "corpus"})
    assert other.name == "toy-captioning:references=first"
    assert PARAGRAPHS.with_parameters({"split": "ae-val"}).split == "ae-val"


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"protocol": "paragraph"}, "use corpus, densevid"),
        ({"segments": "gt"}, "one sentence is asked for each annotated segment"),
        ({"beam": "5"}, "Parameters: protocol, references, java"),
        ({"java": "on"}, "use off, required"),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_there_is(parameters: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        TASK.with_parameters(parameters)


def test_no_two_protocols_share_their_rules() -> None:
    tasks = [TASK, TASK.with_parameters({"protocol": "densevid"}), replace(PARAGRAPHS, java="off")]
    rules = [tuple(sorted(task.rules().items())) for task in tasks]
    assert len(set(rules)) == 3
    assert all("missing" not in task.rules() for task in tasks)  # planning says by it what became of missing videos


def test_a_task_is_scored_as_a_signature_says() -> None:
    ours, named = TASK.as_signed({"meteor": "1.5", "tokens": "ptb-3.4.1"})
    assert (ours.java, ours.scoring.meteor) == ("off", "python")
    assert named.java == "required"
    (alone,) = TASK.as_signed({"meteor": "none", "tokens": "regex-1"})
    assert (alone.java, alone.scoring.meteor) == ("off", "none")


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_sentences_are_put_back_by_position_and_no_reference_is_seen(batch_size: int) -> None:
    found = TASK.predict(Names(), asked(7), Execution(batch_size=batch_size), ignore)
    assert found.video_ids == tuple(f"v{i:03}" for i in range(7))
    assert found.sentences[5] == ("v005 at 0", "v005 at 1", "v005 at 2")
    assert found.segments[4] == ((0.0, 0.5), (1.0, 1.5))


def test_progress_counts_videos() -> None:
    seen: list[tuple[int, int]] = []
    TASK.predict(Names(), asked(5), Execution(batch_size=2), lambda done, total, values: seen.append((done, total)))
    assert seen == [(2, 5), (4, 5), (5, 5)]


@pytest.mark.parametrize("answer", [None, "text", {"a": "b"}, [None], [{"sentence"}]])
def test_an_answer_of_another_type_is_an_error(answer: Any) -> None:
    model = SimpleNamespace(caption=lambda videos: answer)
    with pytest.raises(ModelError, match="expected a list with a tuple of sentences"):
        TASK.predict(model, asked(1), Execution(), ignore)


def test_the_order_of_predictions_does_not_matter() -> None:
    annotations, said = annotations_of(6), captions_of(6)
    order = [3, 1, 5, 0, 4, 2]
    other = Captions(*(tuple(part[i] for i in order) for part in (said.video_ids, said.segments, said.sentences)))
    for task in (TASK, TASK.with_parameters({"protocol": "densevid"}), replace(PARAGRAPHS, java="off")):
        first, second = (task.score(one, annotations, "cpu") for one in (said, other))
        assert first.measurements == second.measurements
        for name, rows in first.evidence.counts.items():
            np.testing.assert_array_equal(rows, second.evidence.counts[name])
        assert first.evidence.pool == annotations.pool


def test_a_missing_video_is_answered_by_empty_sentences() -> None:
    items = TASK.items(captions_of(2), annotations_of(3, frozenset({"v002"})))
    assert [item.video for item in items] == ["v000", "v001", "v002"]
    assert [sentence.text for sentence in items[2].predicted or ()] == ["", "", ""]


def test_float32_times_are_those_of_the_annotations() -> None:
    said = captions_of(2)
    segments = tuple(
        tuple((float(np.float32(a + 0.1)), float(np.float32(b + 0.1))) for a, b in one) for one in said.segments
    )
    told = {
        v: replace(d, segments=tuple((a + 0.1, b + 0.1) for a, b in d.segments))
        for v, d in annotations_of(2).references[0].items()
    }
    items = TASK.items(replace(said, segments=segments), CaptionAnnotations((told,), "a" * 64))
    assert items[1].predicted is not None
    assert items[1].predicted[1].segment == (1.1, 1.6)


def shorter(said: Captions) -> Captions:
    return replace(said, segments=(*said.segments[:-1], said.segments[-1][:-1]))


@pytest.mark.parametrize(
    ("predictions", "says"),
    [
        (captions_of(2), "of which 1 are missing"),
        (replace(captions_of(3), video_ids=("v000", "v001", "v001")), "belong to another test set"),
        (
            replace(captions_of(3), segments=(((1.0, 3.0),), *captions_of(3).segments[1:])),
            "other segments of video v000",
        ),
        (shorter(captions_of(3)), "other segments of video v002"),
        (ClassScores(("v000",), np.zeros((1, 2), dtype=np.float32), ("a", "b")), "another kind"),
    ],
)
def test_predictions_of_another_test_are_refused(predictions: Any, says: str) -> None:
    with pytest.raises(VerificationError, match=says):
        TASK.score(predictions, annotations_of(3), "cpu")


def test_videos_without_segments_cannot_be_asked_about() -> None:
    whole = CaptionAnnotations(({"v000": Described((), ("a", "b"))},), "a" * 64)
    source = SimpleNamespace(captions=lambda splits, limit: whole)
    with pytest.raises(MissingData, match="segments: none"):
        TASK.annotations(source)  # type: ignore[arg-type]
