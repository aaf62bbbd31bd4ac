"""S2VT and DENSE as retrievers: every reading scores what it says it does, learns, saves, and goes on when stopped."""

from __future__ import annotations

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
    Ragged,
    TrainingData,
    VideoTextEncoder,
    VideoTextScorer,
)
from bench.files import read_tensors, write_tensors

EMBEDDING = (("s2vt", "embedding"), ("dense", "embedding"))
SCORING = (("s2vt", "likelihood"), ("dense", "alignment"), ("dense", "likelihood"))
LIKELIHOOD = (("s2vt", "likelihood"), ("dense", "likelihood"))


def fitted(make_model: Any, record: Any, data: TrainingData, reading: tuple[str, str], **chosen: Any) -> Any:
    model = make_model(reading[0], score=reading[1], **chosen)
    model.fit(data, record().training())
    return model


def pair_scores(model: Any, data: TrainingData, videos: Any = None, paragraphs: Any = None) -> torch.Tensor:
    """Returns (paragraphs, videos) of one tile; cosines for a model that embeds."""
    batch = data.videos.batch(range(len(data)) if videos is None else videos)
    texts = data.paragraphs if paragraphs is None else [data.paragraphs[i] for i in paragraphs]
    if isinstance(model, VideoTextScorer):
        scores: torch.Tensor = model.score(model.encode_videos(batch), model.encode_paragraphs(texts))
        return scores
    unit = torch.nn.functional.normalize
    return unit(model.embed_paragraphs(texts)) @ unit(model.embed_videos(batch)).t()


def uneven(data: TrainingData) -> TrainingData:
    """Returns the data as if segments had nothing to do with sentences: the segments of the next video."""
    videos = replace(data.videos, clips=[*data.videos.clips[1:], data.videos.clips[0]])  # type: ignore[type-var]
    return replace(data, videos=videos, aligned=False)


@pytest.mark.parametrize("reading", EMBEDDING + SCORING)
def test_the_loader_returns_what_the_setting_asks_for(reading: tuple[str, str], make_model: Any) -> None:
    model = make_model(reading[0], score=reading[1])
    assert isinstance(model, VideoTextEncoder) == (reading in EMBEDDING)
    assert isinstance(model, VideoTextScorer) == (reading in SCORING)


@pytest.mark.parametrize("reading", SCORING)
def test_scores_have_a_row_for_each_paragraph_and_a_column_for_each_video(
    reading: tuple[str, str], data: TrainingData, make_model: Any, record: Any
) -> None:
    model = fitted(make_model, record, data, reading)
    scores = pair_scores(model, data, videos=range(5))
    assert scores.shape == (12, 5)
    assert scores.dtype == torch.float32
    assert torch.isfinite(scores).all()


@pytest.mark.parametrize("reading", SCORING)
def test_a_score_depends_on_its_pair_alone(
    reading: tuple[str, str], data: TrainingData, make_model: Any, record: Any
) -> None:
    model = fitted(make_model, record, data, reading)
    whole = pair_scores(model, data)
    videos, paragraphs = [7, 2, 11], [3, 0, 9, 5]
    part = pair_scores(model, data, videos, paragraphs)
    torch.testing.assert_close(part, whole[paragraphs][:, videos])
    torch.testing.assert_close(pair_scores(model, data, [4], [8])[0, 0], whole[8, 4])


def test_s2vt_likelihood_is_that_of_saying_each_paragraph_after_watching_each_video(
    data: TrainingData, make_model: Any, record: Any
) -> None:
    model = fitted(make_model, record, data, ("s2vt", "likelihood"))
    network = model.network
    scores = pair_scores(model, data)
    with torch.no_grad():
        for row in range(4):
            words = model.encode([data.paragraphs[row]]).paragraphs()
            for column in range(12):
                frames = data.videos.batch([column]).frames
                told = network.stack.log_likelihood(network.stack.watch(frames), words, network.words)[0]
                torch.testing.assert_close(scores[row, column], told / (int(words.lengths) + 1))


def test_dense_likelihood_is_that_of_saying_each_sentence_of_its_best_segment(
    data: TrainingData, make_model: Any, record: Any
) -> None:
    model = fitted(make_model, record, data, ("dense", "likelihood"))
    network = model.network
    scores = pair_scores(model, data)
    with torch.no_grad():
        for row in range(4):
            for column in range(12):
                segments = network.segments(data.videos.batch([column])).values
                best = []
                for sentence in data.paragraphs[row]:
                    words = model.encode([(sentence,)]).sentences
                    each = [network.decoder.log_likelihood(words, network.words, s[None])[0] for s in segments]
                    best.append(max(each) / (int(words.lengths) + 1))
                torch.testing.assert_close(scores[row, column], sum(best) / len(best))


def test_dense_alignment_is_the_mean_over_sentences_of_the_best_cosine(
    data: TrainingData, make_model: Any, record: Any
) -> None:
    model = fitted(make_model, record, data, ("dense", "alignment"))
    scores = pair_scores(model, data)
    videos, texts = (
        model.encode_videos(data.videos.batch(range(12))),
        model.encode_paragraphs(data.paragraphs),
    )
    segments, sentences = (side.values.split(side.lengths.tolist()) for side in (videos, texts))
    for row in range(12):
        for column in range(12):
            best = [
                max(torch.nn.functional.cosine_similarity(sentence, segment, dim=0) for segment in segments[column])
                for sentence in sentences[row]
            ]
            torch.testing.assert_close(scores[row, column], sum(best) / len(best))


def test_a_grid_in_several_blocks_is_the_same(
    data: TrainingData, make_model: Any, record: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench_torch import decoding

    for reading in LIKELIHOOD:
        model = fitted(make_model, record, data, reading)
        whole = pair_scores(model, data)
        with monkeypatch.context() as patch:
            patch.setattr(decoding, "GRID_ROWS", 30)
            torch.testing.assert_close(pair_scores(model, data), whole)


@pytest.mark.parametrize("reading", LIKELIHOOD)
def test_the_prior_takes_the_same_from_every_video_and_is_no_part_of_training(
    reading: tuple[str, str], data: TrainingData, make_model: Any, record: Any, spec: Any
) -> None:
    model = fitted(make_model, record, data, reading)
    with_prior = make_model(reading[0], score=reading[1], prior=True)
    with_prior.load_state(model.state())
    difference = pair_scores(model, data) - pair_scores(with_prior, data)
    torch.testing.assert_close(difference, difference[:, :1].expand(-1, 12))
    network, text = model.network, model.encode(data.paragraphs[:1])
    with torch.no_grad():
        if reading[0] == "s2vt":
            words = text.paragraphs()
            expected = network.language.log_likelihood(words, network.prior_words) / (words.lengths + 1)
        else:
            said = network.language.log_likelihood(text.sentences, network.prior_words)
            expected = (said / (text.sentences.lengths + 1)).mean()[None]
    torch.testing.assert_close(difference[0, :1], expected)
    assert not spec(reading[0]).settings["prior"].trained


@pytest.mark.parametrize("reading", EMBEDDING + SCORING)
def test_a_model_overfits_one_batch(
    reading: tuple[str, str], make_training_data: Any, make_model: Any, record: Any
) -> None:
    data = make_training_data(8, seed=1)
    chosen = {"epochs": 150, "batch": 8, "lr_drop": 1000, "hidden": 24, "lr": 0.02}
    scores = pair_scores(fitted(make_model, record, data, reading, **chosen), data)
    assert (scores.argmax(1) == torch.arange(8)).float().mean() >= 0.8


@pytest.mark.parametrize("reading", SCORING)
def test_a_saved_model_scores_as_the_fitted_one_did(
    reading: tuple[str, str], data: TrainingData, make_model: Any, record: Any, tmp_path: Path
) -> None:
    model = fitted(make_model, record, data, reading)
    state = model.state()
    write_tensors(tmp_path / "state", state.arrays, state.values)
    arrays, values = read_tensors(tmp_path / "state")
    restored = make_model(reading[0], score=reading[1])
    restored.load_state(replace(state, arrays=arrays, values=values))
    assert torch.equal(pair_scores(restored, data), pair_scores(model, data))


@pytest.mark.parametrize("reading", EMBEDDING + SCORING)
def test_a_stopped_fit_goes_on_to_equal_weights(
    reading: tuple[str, str], data: TrainingData, make_model: Any, record: Any
) -> None:
    whole = fitted(make_model, record, data, reading)
    stopped = record(stop_after=4)
    with pytest.raises(Interrupted):
        make_model(reading[0], score=reading[1]).fit(data, stopped.training())
    model = make_model(reading[0], score=reading[1])
    model.fit(data, record(start=stopped.states[-1]).training())
    assert torch.equal(pair_scores(model, data), pair_scores(whole, data))


@pytest.mark.parametrize("reading", SCORING)
def test_held_out_selection_works_without_embeddings(
    reading: tuple[str, str], make_training_data: Any, make_model: Any, record: Any
) -> None:
    data = make_training_data(12, heldout=3)
    run = record()
    make_model(reading[0], score=reading[1], selection="held-out", epochs=3).fit(data, run.training())
    assert "best_score" in run.states[-1].values
    assert run.states[-1].values["best_epoch"] >= 0


@pytest.mark.parametrize("reading", SCORING)
def test_bf16_is_accepted_and_scores_stay_float32(
    reading: tuple[str, str], data: TrainingData, make_model: Any, record: Any
) -> None:
    run = record(Execution(precision="bf16"))
    model = make_model(reading[0], run.execution, score=reading[1])
    model.fit(data, run.training())
    assert pair_scores(model, data).dtype == torch.float32


@pytest.mark.parametrize("reading", SCORING)
def test_unknown_words_and_empty_sentences_are_scored(
    reading: tuple[str, str], data: TrainingData, make_model: Any, record: Any
) -> None:
    model = fitted(make_model, record, data, reading)
    texts = model.encode_paragraphs([("zyzzyva quux",), ("",), ("dog runs " * 100,), ("cat",) * 20])
    assert torch.isfinite(model.score(model.encode_videos(data.videos.batch([0, 1])), texts)).all()


@pytest.mark.parametrize("reading", SCORING)
def test_no_weights_and_features_of_another_size_are_refused(
    reading: tuple[str, str], data: TrainingData, make_model: Any, record: Any
) -> None:
    with pytest.raises(ModelError, match="no weights yet"):
        make_model(reading[0], score=reading[1]).encode_paragraphs(data.paragraphs)
    model = fitted(make_model, record, data, reading)
    batch = data.videos.batch([0])
    wide = replace(batch, frames=Ragged(torch.randn(int(batch.frames.lengths.sum()), 7), batch.frames.lengths))
    with pytest.raises(InvalidData, match="7 numbers per row; the model was trained on 6"):
        model.encode_videos(wide)


@pytest.mark.parametrize("score", ["embedding", "alignment", "likelihood"])
def test_dense_trains_where_segments_do_not_belong_to_sentences(
    score: str, data: TrainingData, make_model: Any, record: Any
) -> None:
    run = record()
    model = make_model("dense", score=score, epochs=10, batch=12, lr_drop=100)
    model.fit(uneven(data), run.training())
    assert run.losses[-1] < run.losses[0]


@pytest.mark.parametrize("score", ["embedding", "alignment", "likelihood"])
def test_dense_refuses_unequal_numbers_of_what_should_be_pairs(
    score: str, data: TrainingData, make_model: Any, record: Any
) -> None:
    with pytest.raises(InvalidData, match="other numbers of segments than of sentences"):
        make_model("dense", score=score).fit(replace(uneven(data), aligned=True), record().training())
