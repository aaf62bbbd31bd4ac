"""What every captioner owes: a sentence a segment, no dependence on the batch, learning, repeatability, going on."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.api import (
    Execution,
    Interrupted,
    InvalidData,
    ModelError,
    Paragraph,
    Ragged,
    TrainingData,
    VideoCaptioner,
    VideoTextEncoder,
)
from bench.files import read_tensors, write_tensors

CAPTIONERS = ("s2vt", "dense", "dvc", "fse-captioner", "hse-captioner")
BY_ROLE = ("s2vt", "dense")
ON_BASE = ("fse-captioner", "hse-captioner")
LIKELIHOOD: dict[str, dict[str, Any]] = {"dvc": {"self_critical": 0.0}}
"""What makes the losses of all epochs those of one objective."""


def made(make_model: Any, name: str, execution: Execution | None = None, **chosen: Any) -> Any:
    return make_model(name, execution, **({"score": "captioning"} if name in BY_ROLE else {}), **chosen)


def fitted(make_model: Any, run: Any, name: str, data: TrainingData, **chosen: Any) -> Any:
    base = None
    if name in ON_BASE:
        base = make_model(name.removesuffix("-captioner"), run.execution)
        base.fit(data, type(run)(run.execution).training())
    model = made(make_model, name, run.execution, **chosen)
    model.fit(data, run.training(base))
    return model


def captions(model: Any, data: TrainingData, videos: Any = None) -> list[Paragraph]:
    said: list[Paragraph] = model.caption(data.videos.batch(range(len(data)) if videos is None else videos))
    return said


@pytest.mark.parametrize("name", CAPTIONERS)
def test_a_captioning_task_gets_a_captioner(name: str, spec: Any, make_model: Any) -> None:
    found = spec(name)
    settings = found.resolve(None, {}, (VideoCaptioner,))
    assert VideoCaptioner in found.provides
    assert isinstance(made(make_model, name), VideoCaptioner)
    if name in BY_ROLE:
        assert settings["score"] == "captioning"
        assert found.resolve(None, {}, (VideoTextEncoder,))["score"] == "embedding"
        assert not isinstance(made(make_model, name), VideoTextEncoder)


@pytest.mark.parametrize("name", CAPTIONERS)
def test_how_to_search_is_no_part_of_training(name: str, spec: Any) -> None:
    assert not spec(name).settings["beam"].trained
    assert not spec(name).settings["max_words"].trained


@pytest.mark.parametrize("name", CAPTIONERS)
def test_recipes_name_known_settings_only(name: str, spec: Any) -> None:
    for recipe in spec(name).recipes:
        spec(name).resolve(recipe.partition("/")[0], {}, (VideoCaptioner,))


@pytest.mark.parametrize("name", CAPTIONERS)
@pytest.mark.parametrize("beam", [1, 3])
def test_every_segment_gets_a_sentence_whatever_the_batch(
    name: str, beam: int, data: TrainingData, make_model: Any, record: Any
) -> None:
    model = fitted(make_model, record(), name, data, beam=beam, epochs=6)
    whole = captions(model, data)
    assert [len(said) for said in whole] == [len(paragraph) for paragraph in data.paragraphs]
    assert all(isinstance(sentence, str) for said in whole for sentence in said)
    order = [5, 0, 11, 3]
    assert captions(model, data, order) == [whole[i] for i in order]
    assert captions(model, data, [7]) == [whole[7]]


@pytest.mark.parametrize("name", CAPTIONERS)
def test_a_captioner_learns_the_sentences_of_a_batch(
    name: str, make_training_data: Any, make_model: Any, record: Any
) -> None:
    data = make_training_data(8, seed=1)
    chosen = {"epochs": 150, "batch": 8, "lr_drop": 1000, "hidden": 24, "lr": 0.02}
    if name in ON_BASE:
        chosen["frozen"] = False
    said = captions(fitted(make_model, record(), name, data, **chosen), data)
    pairs = [(a, b) for one, other in zip(said, data.paragraphs, strict=True) for a, b in zip(one, other, strict=True)]
    assert sum(a == b for a, b in pairs) >= 0.8 * len(pairs)


@pytest.mark.parametrize("name", CAPTIONERS)
def test_a_saved_captioner_says_what_the_fitted_one_did(
    name: str, data: TrainingData, make_model: Any, record: Any, tmp_path: Path
) -> None:
    model = fitted(make_model, record(), name, data, epochs=6)
    state = model.state()
    write_tensors(tmp_path / "state", state.arrays, state.values)
    arrays, values = read_tensors(tmp_path / "state")
    restored = made(make_model, name)
    restored.load_state(replace(state, arrays=arrays, values=values))
    assert captions(restored, data) == captions(model, data)


@pytest.mark.parametrize("name", CAPTIONERS)
def test_one_seed_repeats_and_two_differ(name: str, data: TrainingData, make_model: Any, record: Any) -> None:
    runs = [record(Execution(seed=seed)) for seed in (0, 0, 1)]
    for run in runs:
        fitted(make_model, run, name, data)
    first, again, other = (run.losses for run in runs)
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", CAPTIONERS)
def test_a_stopped_fit_goes_on_to_equal_weights(name: str, data: TrainingData, make_model: Any, record: Any) -> None:
    whole, stopped = record(), record(stop_after=4)
    model = fitted(make_model, whole, name, data)
    with pytest.raises(Interrupted):
        fitted(make_model, stopped, name, data)
    resumed = fitted(make_model, record(start=stopped.states[-1]), name, data)
    for key, array in model.state().arrays.items():
        assert (array == resumed.state().arrays[key]).all(), key


@pytest.mark.parametrize("name", CAPTIONERS)
def test_whole_videos_with_several_captions_are_learnt_pair_by_pair(
    name: str, make_training_data: Any, make_model: Any, record: Any
) -> None:
    data = make_training_data(6, seed=2)
    whole = replace(data.videos, clips=[[frames] for frames in data.videos.whole])
    several = tuple((f"{paragraph[0]}", "dog dog.", "cat.") for paragraph in data.paragraphs)
    run = record()
    captioned = replace(data, videos=whole, paragraphs=several, aligned=False)
    model = fitted(make_model, run, name, captioned, epochs=6, **LIKELIHOOD.get(name, {}))
    assert run.losses[-1] < run.losses[0]
    assert all(len(said) == 1 for said in model.caption(whole.batch(range(6))))


@pytest.mark.parametrize("name", CAPTIONERS)
def test_segments_that_belong_to_no_sentence_are_learnt_from(
    name: str, data: TrainingData, make_model: Any, record: Any
) -> None:
    videos = replace(data.videos, clips=[*data.videos.clips[1:], data.videos.clips[0]])  # type: ignore[type-var]
    run = record()
    settings = {"epochs": 10, "batch": 12, "lr_drop": 100, **LIKELIHOOD.get(name, {})}
    fitted(make_model, run, name, replace(data, videos=videos, aligned=False), **settings)
    assert run.losses[-1] < run.losses[0]
    with pytest.raises(InvalidData, match="other numbers of segments than of sentences"):
        made(make_model, "dvc").fit(replace(data, videos=videos), record().training())


@pytest.mark.parametrize("name", CAPTIONERS)
def test_held_out_selection_and_bf16_work(name: str, make_training_data: Any, make_model: Any, record: Any) -> None:
    run = record(Execution(precision="bf16"))
    data = make_training_data(12, heldout=3)
    model = fitted(make_model, run, name, data, selection="held-out", epochs=3)
    assert "best_score" in run.states[-1].values
    assert len(captions(model, data)) == 12


@pytest.mark.parametrize("name", CAPTIONERS)
def test_no_sentence_is_longer_than_asked_for(name: str, data: TrainingData, make_model: Any, record: Any) -> None:
    model = fitted(make_model, record(), name, data, max_words=1)
    assert all(len(re.findall(r"\w+|\.", said)) <= 1 for paragraph in captions(model, data) for said in paragraph)


@pytest.mark.parametrize("name", CAPTIONERS)
def test_no_weights_and_features_of_another_size_are_refused(
    name: str, data: TrainingData, make_model: Any, record: Any
) -> None:
    batch = data.videos.batch([0])
    with pytest.raises(ModelError, match="no weights yet"):
        made(make_model, name).caption(batch)
    model = fitted(make_model, record(), name, data)
    wide = replace(batch, frames=Ragged(torch.randn(int(batch.frames.lengths.sum()), 7), batch.frames.lengths))
    with pytest.raises(InvalidData, match="7 numbers per row; the model was trained on 6"):
        model.caption(wide)


@pytest.mark.parametrize("name", ON_BASE)
def test_a_base_stays_as_it_was_unless_trained_on(name: str, data: TrainingData, make_model: Any, record: Any) -> None:
    base = make_model(name.removesuffix("-captioner"))
    base.fit(data, record().training())
    before = dict(base.state().arrays)
    encoder = "video_encoder." if name == "fse-captioner" else "video."
    for frozen in (True, False):
        model = made(make_model, name, frozen=frozen)
        model.fit(data, record().training(base))
        kept = [
            (array == before[key.replace("encoder.", encoder, 1)]).all()
            for key, array in model.state().arrays.items()
            if key.startswith("network.encoder.")
        ]
        assert len(kept) >= 4
        assert all(kept) == frozen
    assert all((array == before[key]).all() for key, array in base.state().arrays.items())


@pytest.mark.parametrize("name", ON_BASE)
def test_a_captioner_on_a_base_needs_one(name: str, data: TrainingData, make_model: Any, record: Any) -> None:
    with pytest.raises(ModelError, match="builds on a fitted model"):
        made(make_model, name).fit(data, record().training())


@pytest.mark.parametrize("pooling", ["last", "attention"])
@pytest.mark.parametrize("name", ON_BASE)
def test_what_is_needed_of_the_base_is_in_the_captioners_own_state(
    name: str, pooling: str, data: TrainingData, make_model: Any, record: Any
) -> None:
    base = make_model(name.removesuffix("-captioner"), pooling=pooling, hidden=7)
    base.fit(data, record().training())
    model = made(make_model, name)
    model.fit(data, record().training(base))
    restored = made(make_model, name)
    restored.load_state(model.state())
    assert captions(restored, data) == captions(model, data)


def test_hse_s_captioner_looks_at_the_segment_and_at_its_video(
    data: TrainingData, make_model: Any, record: Any
) -> None:
    base = make_model("hse")
    base.fit(data, record().training())
    model = made(make_model, "hse-captioner")
    model.fit(data, record().training(base))
    batch = data.videos.batch(range(12))
    with torch.no_grad():
        watched = model.network.watch(batch)
    clips, videos = base.embed_clips(batch).values, base.embed_videos(batch)
    torch.testing.assert_close(watched, torch.cat([clips, videos[batch.segments.owners()]], dim=1))


def test_fse_s_captioner_looks_at_the_frames_of_the_segment(data: TrainingData, make_model: Any, record: Any) -> None:
    base = make_model("fse")
    base.fit(data, record().training())
    model = made(make_model, "fse-captioner")
    model.fit(data, record().training(base))
    batch = data.videos.batch(range(12))
    with torch.no_grad():
        watched = model.network.watch(batch)
    torch.testing.assert_close(watched, base.embed_videos(replace(batch, frames=batch.clip_frames)))


@pytest.mark.parametrize("context", ["full", "online", "none"])
def test_dense_sees_as_much_context_as_it_is_given(
    context: str, data: TrainingData, make_model: Any, record: Any
) -> None:
    model = made(make_model, "dense", context=context)
    model.fit(data, record().training())
    batch = data.videos.batch([next(i for i, paragraph in enumerate(data.paragraphs) if len(paragraph) == 3)])
    ends = Ragged(torch.tensor([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]]), batch.segments.lengths)
    batch = replace(batch, segments=ends)
    last = batch.clip_frames.values.clone()
    last[-1] += 5.0  # in the last segment, which is future to the others
    with torch.no_grad():
        before, after = (
            model.network.watch(replace(batch, clip_frames=Ragged(values, batch.clip_frames.lengths)))
            for values in (batch.clip_frames.values, last)
        )
    assert torch.equal(before[0], after[0]) == (context != "full")
    assert not torch.equal(before[2], after[2])


@pytest.mark.parametrize("name", ON_BASE)
def test_a_frozen_encoder_reads_each_video_once_in_a_fit(
    name: str, data: TrainingData, make_model: Any, record: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = make_model(name.removesuffix("-captioner"))
    base.fit(data, record().training())
    seen: list[int] = []

    def fit(execution: Execution | None = None) -> tuple[Any, list[float]]:
        run, model = record(execution or Execution()), made(make_model, name, execution, batch=5, epochs=4)
        build = model.build

        def counted(*given: Any) -> Any:
            network = build(*given)
            encode = network.encode
            network.encode = lambda videos: seen.append(len(videos)) or encode(videos)
            return network

        model.build = counted
        seen.clear()
        model.fit(data, run.training(base))
        return model, run.losses

    kept, losses = fit()
    assert sum(seen) == len(data)
    other, _ = fit(Execution(batch_size=3))
    for key, array in kept.state().arrays.items():
        assert (array == other.state().arrays[key]).all(), f"{key} depends on the batches of prediction"
    monkeypatch.setattr("bench_torch.watched.LIMIT", 100)
    _, again = fit()
    assert sum(seen) > 4 * len(data), "what does not fit into memory is read in every epoch"
    assert again == pytest.approx(losses, rel=1e-3)
