"""Captions said again: the most frequent one, and that of the most similar training segment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.api import InvalidData, ModelError, Ragged, Trainable, TrainingData, VideoCaptioner
from bench.files import read_tensors, write_tensors

NAMES = ("most-frequent-caption", "nearest-caption")


def fitted(make_model: Any, record: Any, name: str, data: TrainingData) -> Any:
    model = make_model(name)
    model.fit(data, record().training())
    return model


def saying(data: TrainingData, *paragraphs: tuple[str, ...]) -> TrainingData:
    """Returns the first videos of `data` with other paragraphs."""
    return replace(data.subset(range(len(paragraphs))), paragraphs=paragraphs)


@pytest.mark.parametrize("name", NAMES)
def test_a_control_is_a_captioner_that_trains(name: str, spec: Any, make_model: Any) -> None:
    assert spec(name).control
    assert isinstance(make_model(name), VideoCaptioner)
    assert isinstance(make_model(name), Trainable)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_control_says_the_same(
    name: str, data: TrainingData, make_model: Any, record: Any, tmp_path: Path
) -> None:
    model = fitted(make_model, record, name, data)
    state = model.state()
    write_tensors(tmp_path / "state", state.arrays, state.values)
    arrays, values = read_tensors(tmp_path / "state")
    restored = make_model(name)
    restored.load_state(replace(state, arrays=arrays, values=values))
    batch = data.videos.batch(range(12))
    assert restored.caption(batch) == model.caption(batch)
    assert [len(said) for said in model.caption(batch)] == [len(paragraph) for paragraph in data.paragraphs]


@pytest.mark.parametrize("name", NAMES)
def test_a_control_that_has_seen_nothing_is_refused(name: str, data: TrainingData, make_model: Any) -> None:
    with pytest.raises(ModelError, match="Fit it, or load a checkpoint"):
        make_model(name).caption(data.videos.batch([0]))


def test_the_most_frequent_sentence_is_said_of_everything(data: TrainingData, make_model: Any, record: Any) -> None:
    told = saying(data, ("A cat.", "Dogs run.", "a cat ."), ("Dogs run fast.",), ("dogs sleep.",))
    model = fitted(make_model, record, "most-frequent-caption", told)
    said = model.caption(data.videos.batch(range(4)))
    assert said == [("A cat.",) * len(data.paragraphs[i]) for i in range(4)]


def test_among_equally_frequent_sentences_the_most_typical_is_said(
    data: TrainingData, make_model: Any, record: Any
) -> None:
    told = saying(data, ("zebras fly",), ("dogs run home",), ("dogs run",), ("dogs sleep",))
    assert fitted(make_model, record, "most-frequent-caption", told).sentence == "dogs run"


def test_a_training_segment_is_nearest_to_itself(data: TrainingData, make_model: Any, record: Any) -> None:
    model = fitted(make_model, record, "nearest-caption", data)
    assert model.caption(data.videos.batch(range(12))) == list(data.paragraphs)


def test_nearness_is_the_cosine_about_the_overall_mean(data: TrainingData, make_model: Any, record: Any) -> None:
    model = fitted(make_model, record, "nearest-caption", data.subset(range(8)))
    clips = [
        (clip.mean(0), said)
        for i in range(8)
        for clip, said in zip(
            data.videos.clips[i],
            data.paragraphs[i],
            strict=True,  # type: ignore[attr-defined]
        )
    ]
    center = torch.stack([mean for mean, _ in clips]).mean(0)
    for index, said in zip(range(8, 12), model.caption(data.videos.batch(range(8, 12))), strict=True):
        for clip, sentence in zip(data.videos.clips[index], said, strict=True):  # type: ignore[attr-defined]
            nearest = max(
                clips, key=lambda pair: float(torch.cosine_similarity(pair[0] - center, clip.mean(0) - center, dim=0))
            )
            assert sentence == nearest[1]


def test_a_whole_video_stands_for_its_first_caption(data: TrainingData, make_model: Any, record: Any) -> None:
    whole = replace(data.videos, clips=[[rows] for rows in data.videos.whole])  # type: ignore[type-var,attr-defined]
    several = tuple((f"caption {i}", "another") for i in range(12))
    told = replace(data, videos=whole, paragraphs=several, aligned=False)
    model = fitted(make_model, record, "nearest-caption", told)
    assert model.caption(whole.batch([3, 5])) == [("caption 3",), ("caption 5",)]


def test_unequal_numbers_and_features_of_another_size_are_refused(
    data: TrainingData, make_model: Any, record: Any
) -> None:
    with pytest.raises(InvalidData, match="segments and 9 sentences"):
        fitted(make_model, record, "nearest-caption", replace(data, paragraphs=(("one",) * 9, *data.paragraphs[1:])))
    model = fitted(make_model, record, "nearest-caption", data)
    batch = data.videos.batch([0])
    wide = Ragged(torch.randn(len(batch.clip_frames.values), 7), batch.clip_frames.lengths)
    with pytest.raises(InvalidData, match="7 numbers per row; the model was fitted on 6"):
        model.caption(replace(batch, clip_frames=wide))
