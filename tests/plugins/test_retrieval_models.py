"""What every bundled model owes: its protocols, its shapes, no dependence on the batch, learning, repeatability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.api import (
    ClipTextEncoder,
    Execution,
    InvalidData,
    ModelError,
    Ragged,
    Trainable,
    TrainingData,
    UsageError,
    VideoBatch,
    VideoTextEncoder,
)
from bench.files import read_tensors, write_tensors

MODELS = ("random", "count-only", "mean-pool", "ridge", "fse", "hse", "s2vt", "dense", "frozen-head")
TRAINABLE = ("mean-pool", "ridge", "fse", "hse", "s2vt", "dense", "frozen-head")
MakeModel = Callable[..., Any]


def fitted(make_model: MakeModel, record: Any, name: str, data: TrainingData, **chosen: Any) -> Any:
    execution = chosen.pop("execution", Execution())
    if name == "mean-pool":
        chosen = {"candidates": "0.01/0.1/8", **chosen}
    model = make_model(name, execution, **chosen)
    if isinstance(model, Trainable):
        model.fit(data, record(execution).training())
    return model


def embeddings(model: Any, data: TrainingData) -> tuple[torch.Tensor, torch.Tensor]:
    return model.embed_videos(data.videos.batch(range(len(data)))), model.embed_paragraphs(data.paragraphs)


@pytest.mark.parametrize("name", MODELS)
def test_a_spec_resolves_to_a_model_that_implements_all_it_declares(name: str, spec: Any, make_model: Any) -> None:
    model = make_model(name)
    lacking = {protocol for protocol in spec(name).provides if not isinstance(model, protocol)}
    assert lacking == set(spec(name).by_setting) - {VideoTextEncoder}
    assert spec(name).max_rows == 80


@pytest.mark.parametrize("name", MODELS)
def test_recipes_name_known_settings_only(name: str, spec: Any) -> None:
    for recipe in spec(name).recipes:
        assert spec(name).resolve(recipe, {}) != spec(name).resolve(None, {})


@pytest.mark.parametrize("name", MODELS)
def test_embeddings_are_finite_float32_rows_of_one_space(
    name: str, data: TrainingData, make_model: Any, record: Any
) -> None:
    videos, paragraphs = embeddings(fitted(make_model, record, name, data), data)
    assert videos.shape == paragraphs.shape == (len(data), videos.shape[1])
    assert videos.dtype == paragraphs.dtype == torch.float32
    assert torch.isfinite(videos).all()
    assert torch.isfinite(paragraphs).all()


@pytest.mark.parametrize("name", MODELS)
def test_an_embedding_does_not_depend_on_batch_or_order(
    name: str, data: TrainingData, make_model: Any, record: Any
) -> None:
    model = fitted(make_model, record, name, data)
    videos, paragraphs = embeddings(model, data)
    order = [5, 0, 11, 3]
    torch.testing.assert_close(model.embed_videos(data.videos.batch(order)), videos[order])
    torch.testing.assert_close(model.embed_paragraphs([data.paragraphs[i] for i in order]), paragraphs[order])
    for i in order:
        torch.testing.assert_close(model.embed_videos(data.videos.batch([i]))[0], videos[i])
        torch.testing.assert_close(model.embed_paragraphs([data.paragraphs[i]])[0], paragraphs[i])


@pytest.mark.parametrize("name", ["mean-pool", "fse", "hse"])
@pytest.mark.parametrize("pooling", ["max", "last", "attention"])
def test_a_model_overfits_one_batch(
    name: str, pooling: str, make_training_data: Any, make_model: Any, record: Any
) -> None:
    data = make_training_data(8, seed=1)
    chosen: dict[str, Any] = {"epochs": 60, "batch": 8, "lr_drop": 1000}
    chosen |= {"candidates": "0.05/0.1/8"} if name == "mean-pool" else {"pooling": pooling}
    videos, paragraphs = embeddings(fitted(make_model, record, name, data, **chosen), data)
    similarities = torch.nn.functional.normalize(videos) @ torch.nn.functional.normalize(paragraphs).t()
    assert (similarities.argmax(1) == torch.arange(8)).float().mean() >= 0.8


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_saved_model_predicts_what_the_fitted_one_did(
    name: str, data: TrainingData, make_model: Any, record: Any, tmp_path: Path
) -> None:
    chosen = {"candidates": "0.01/0.1/8"} if name == "mean-pool" else {}
    model = fitted(make_model, record, name, data)
    state = model.state()
    write_tensors(tmp_path / "state", state.arrays, state.values)
    arrays, values = read_tensors(tmp_path / "state")
    restored = make_model(name, **chosen)
    restored.load_state(replace(state, arrays=arrays, values=values))
    for mine, reference in zip(embeddings(restored, data), embeddings(model, data), strict=True):
        assert torch.equal(mine, reference)


@pytest.mark.parametrize("name", ["random", *TRAINABLE])
def test_one_seed_repeats_and_two_differ(name: str, data: TrainingData, make_model: Any, record: Any) -> None:
    first, again, other = (
        embeddings(fitted(make_model, record, name, data, execution=Execution(seed=seed)), data)[0]
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


@pytest.mark.parametrize("name", TRAINABLE)
def test_unknown_words_empty_sentences_and_long_paragraphs_are_embedded(
    name: str, data: TrainingData, make_model: Any, record: Any
) -> None:
    model = fitted(make_model, record, name, data)
    paragraphs = [("zyzzyva quux",), ("",), ("dog runs " * 500,), ("cat",) * 40]
    assert torch.isfinite(model.embed_paragraphs(paragraphs)).all()
    assert torch.equal(*model.embed_paragraphs([("zyzzyva",), ("quux",)]))


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_single_clip_of_one_row_and_a_long_video_are_embedded(
    name: str, data: TrainingData, make_model: Any, record: Any
) -> None:
    model = fitted(make_model, record, name, data)
    lengths, counts = torch.tensor([1, 700, 1]), torch.tensor([1, 2])
    clips = Ragged(torch.randn(702, 6), lengths)
    frames = Ragged(torch.randn(801, 6), torch.tensor([1, 800]))
    batch = VideoBatch(("a", "b"), frames, Ragged(torch.zeros(3, 2), counts), clips, torch.ones(2))
    assert torch.isfinite(model.embed_videos(batch)).all()


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_model_without_weights_and_features_of_another_size_are_refused(
    name: str, data: TrainingData, make_model: Any, record: Any
) -> None:
    with pytest.raises(ModelError, match="no weights yet"):
        make_model(name).embed_paragraphs(data.paragraphs)
    model = fitted(make_model, record, name, data)
    batch = data.videos.batch([0])
    wide = replace(batch, frames=Ragged(torch.randn(int(batch.frames.lengths.sum()), 7), batch.frames.lengths))
    with pytest.raises(InvalidData, match="7 numbers per row; the model was trained on 6"):
        model.embed_videos(wide)


@pytest.mark.parametrize("name", TRAINABLE)
def test_word_vectors_start_from_the_named_file(
    name: str, data: TrainingData, make_model: Any, record: Any, tmp_path: Path
) -> None:
    file = tmp_path / "glove.txt"
    file.write_text("dog 1 2\nruns 3 4\n")
    chosen = {"mean-pool": {"candidates": "0.01/0.1/8", "epochs": 0}, "ridge": {}}.get(name, {"epochs": 0})
    model = make_model(name, word_dim=2, **chosen)
    model.fit(data, record(word_vectors=file).training())
    assert model.state().values["words"] == ["<unk>", "dog", "runs"]
    np.testing.assert_array_equal(model.state().arrays["network.words.weight"][1:], [[1, 2], [3, 4]])


@pytest.mark.parametrize("name", ["fse", "mean-pool", "s2vt"])
def test_a_model_of_whole_videos_never_reads_segments(
    name: str, data: TrainingData, make_model: Any, record: Any, spec: Any
) -> None:
    assert not spec(name).uses_segments
    model = fitted(make_model, record, name, data)
    batch = data.videos.batch(range(len(data)))
    blind = replace(batch, segments=None, clip_frames=None)
    uniform = replace(batch, segments=Ragged(torch.zeros(48, 2), torch.full((12,), 4)), clip_frames=None)
    network = model.network
    for other in (blind, uniform):
        network.eval()
        with torch.inference_mode():
            assert torch.equal(network.embed_videos(other), model.embed_videos(batch))


@pytest.mark.parametrize("name", ["fse", "hse"])
def test_bf16_trains(name: str, data: TrainingData, make_model: Any, record: Any) -> None:
    run = record(Execution(precision="bf16"))
    model = make_model(name, run.execution, epochs=12, batch=12, lr_drop=100)
    model.fit(data, run.training())
    assert run.losses[-1] < 0.8 * run.losses[0]
    assert all(array.dtype == np.float32 for array in model.state().arrays.values())
    assert embeddings(model, data)[0].dtype == torch.float32


@pytest.mark.parametrize("name", ["fse", "hse"])
def test_held_out_selection_learns_words_of_the_fitting_part_only(
    name: str, make_training_data: Any, make_model: Any, record: Any
) -> None:
    data = make_training_data(12, heldout=3)
    paragraphs = (*data.paragraphs[:9], *[("zebra",)] * 3)
    model = make_model(name, selection="held-out")
    model.fit(replace(data, paragraphs=paragraphs), record().training())
    assert "zebra" not in model.state().values["words"]
    with pytest.raises(ModelError, match="there are none"):
        make_model(name, selection="held-out").fit(make_training_data(12), record().training())


def test_mean_pool_trains_the_best_candidate_on_everything(
    make_training_data: Any, make_model: Any, record: Any
) -> None:
    data = make_training_data(40, heldout=10)
    run = record()
    model = make_model("mean-pool", candidates="0.0000001/0.1/8 0.03/0.1/16", epochs=10, lr_drop=100)
    model.fit(data, run.training())
    assert model.state().values["chosen"] == 1
    assert len(run.losses) == 10 * (6 + 6 + 8)  # two candidates on 30 videos, then 40 videos, five at a time
    assert model.embed_paragraphs(data.paragraphs).shape == (40, 16)


@pytest.mark.parametrize("text", ["", "0.1/0.1", "a/b/c", "0.1/0.1/2.5", "0.1/0/8", "-1/0.1/8"])
def test_mean_pool_refuses_a_list_it_cannot_read(text: str, make_model: Any) -> None:
    with pytest.raises(UsageError, match="candidates: "):
        make_model("mean-pool", candidates=text)


def test_mean_pool_says_when_there_is_nothing_to_choose_by(data: TrainingData, make_model: Any, record: Any) -> None:
    with pytest.raises(ModelError, match="name one candidate"):
        make_model("mean-pool").fit(data, record().training())


def test_count_only_matches_equal_counts_and_nothing_else(data: TrainingData, make_model: Any) -> None:
    videos, paragraphs = embeddings(make_model("count-only"), data)
    counts = torch.tensor([len(p) for p in data.paragraphs])
    assert torch.equal(videos @ paragraphs.t(), (counts[:, None] == counts[None, :]).float())


def test_count_only_takes_counts_above_its_cap_for_equal(make_model: Any) -> None:
    model = make_model("count-only")
    assert torch.equal(*model.embed_paragraphs([("a",) * 40, ("b",) * 50]))


def test_random_vectors_of_a_video_and_its_paragraph_have_nothing_in_common(make_model: Any) -> None:
    model = make_model("random")
    vectors = model.embed_paragraphs([(str(i),) for i in range(200)])
    assert abs(float(vectors.mean())) < 0.05
    assert float(vectors.std()) == pytest.approx(1, abs=0.05)
    assert not torch.equal(vectors[0], vectors[1])


def test_hse_embeds_clips_and_sentences_grouped_by_video(data: TrainingData, make_model: Any, record: Any) -> None:
    model = fitted(make_model, record, "hse", data)
    assert isinstance(model, ClipTextEncoder)
    clips = model.embed_clips(data.videos.batch(range(12)))
    sentences = model.embed_sentences(data.paragraphs)
    assert clips.lengths.tolist() == sentences.lengths.tolist() == [len(p) for p in data.paragraphs]
    assert clips.values.shape == sentences.values.shape
    alone = model.embed_clips(data.videos.batch([3]))
    torch.testing.assert_close(alone.values, clips.values[clips.owners() == 3])
