"""TSN, FV-VAE and plain features: what they compute, learning, repeatability; videos without segments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.api import Execution, Interrupted, InvalidData, ModelError, Ragged, TrainingData, VideoBatch
from bench.files import read_tensors, write_tensors
from bench_fvvae.loss import class_loss, reduction_of, variational_loss
from bench_torch.labels import Labels
from bench_tsn.model import snippets

TRAINED = ("tsn", "fv-vae")


@pytest.fixture
def labelled(make_labelled_data: Any) -> TrainingData:
    data: TrainingData = make_labelled_data()
    return data


def fitted(make_model: Any, run: Any, name: str, data: TrainingData, **chosen: Any) -> Any:
    model = make_model(name, run.execution, **chosen)
    model.fit(data, run.training())
    return model


def answers(model: Any, data: TrainingData, videos: Any = None) -> torch.Tensor:
    batch = data.videos.batch(range(len(data)) if videos is None else videos)
    found: torch.Tensor = model.classify(batch) if hasattr(model, "classify") else model.embed_videos(batch)
    return found


@pytest.mark.parametrize("name", TRAINED)
def test_answers_are_finite_float32_rows_whatever_the_batch(
    name: str, labelled: TrainingData, make_model: Any, record: Any
) -> None:
    model = fitted(make_model, record(), name, labelled)
    whole = answers(model, labelled)
    assert whole.shape == (12, len(labelled.class_names) if name == "tsn" else 4 * (3 + 1))
    assert whole.dtype == torch.float32
    assert torch.isfinite(whole).all()
    order = [5, 0, 11, 3]
    torch.testing.assert_close(answers(model, labelled, order), whole[order])
    torch.testing.assert_close(answers(model, labelled, [7])[0], whole[7])


@pytest.mark.parametrize("name", TRAINED)
def test_a_saved_model_answers_as_the_fitted_one_did(
    name: str, labelled: TrainingData, make_model: Any, record: Any, tmp_path: Path
) -> None:
    model = fitted(make_model, record(), name, labelled)
    state = model.state()
    write_tensors(tmp_path / "state", state.arrays, state.values)
    arrays, values = read_tensors(tmp_path / "state")
    restored = make_model(name)
    restored.load_state(replace(state, arrays=arrays, values=values))
    assert torch.equal(answers(restored, labelled), answers(model, labelled))


@pytest.mark.parametrize("name", TRAINED)
def test_one_seed_repeats_and_two_differ(name: str, labelled: TrainingData, make_model: Any, record: Any) -> None:
    first, again, other = (
        answers(fitted(make_model, record(Execution(seed=seed)), name, labelled), labelled) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("name", TRAINED)
def test_a_stopped_fit_goes_on_to_equal_answers(
    name: str, labelled: TrainingData, make_model: Any, record: Any
) -> None:
    whole = fitted(make_model, record(), name, labelled)
    stopped = record(stop_after=4)
    with pytest.raises(Interrupted):
        fitted(make_model, stopped, name, labelled)
    resumed = fitted(make_model, record(start=stopped.states[-1]), name, labelled)
    assert torch.equal(answers(resumed, labelled), answers(whole, labelled))


@pytest.mark.parametrize("name", TRAINED)
def test_held_out_selection_and_bf16_work(name: str, make_labelled_data: Any, make_model: Any, record: Any) -> None:
    data = make_labelled_data(12, 3)
    run = record(Execution(precision="bf16"))
    model = fitted(make_model, run, name, data, selection="held-out", epochs=3)
    assert "best_score" in run.states[-1].values
    assert answers(model, data).dtype == torch.float32


@pytest.mark.parametrize("name", TRAINED)
def test_no_weights_no_classes_and_other_features_are_refused(
    name: str, labelled: TrainingData, data: TrainingData, make_model: Any, record: Any
) -> None:
    with pytest.raises(ModelError, match="no weights yet"):
        answers(make_model(name), labelled)
    with pytest.raises(InvalidData, match="12 of 12 training videos have no class"):
        fitted(make_model, record(), name, data)
    model = fitted(make_model, record(), name, labelled)
    frames = labelled.videos.batch([0]).frames
    wide = replace(labelled.videos.batch([0]), frames=Ragged(torch.randn(len(frames.values), 7), frames.lengths))
    with pytest.raises(InvalidData, match="7 numbers per row; the model was trained on 6"):
        model.classify(wide) if name == "tsn" else model.embed_videos(wide)


@pytest.mark.parametrize("consensus", ["average", "max", "topk"])
def test_tsn_overfits_a_batch(consensus: str, labelled: TrainingData, make_model: Any, record: Any) -> None:
    chosen = {"epochs": 150, "batch": 12, "lr_drop": 1000, "lr": 0.05, "dropout": 0.0, "consensus": consensus}
    scores = answers(fitted(make_model, record(), "tsn", labelled, **chosen), labelled)
    truth = torch.tensor([labels[0] for labels in labelled.labels])
    assert (scores.argmax(1) == truth).float().mean() >= 0.8


def test_snippets_are_drawn_from_each_of_equal_parts() -> None:
    frames = Ragged(torch.arange(19.0)[:, None], torch.tensor([12, 1, 6]))
    low, high = (snippets(frames, torch.full((3, 3), place))[..., 0] for place in (0.0, 0.999))
    assert low.tolist() == [[0, 4, 8], [12, 12, 12], [13, 15, 17]]
    assert high.tolist() == [[3, 7, 11], [12, 12, 12], [14, 16, 18]]


def test_test_snippets_stand_in_the_middle_of_parts() -> None:
    frames = Ragged(torch.arange(50.0)[:, None], torch.tensor([50]))
    assert snippets(frames, torch.full((1, 25), 0.5))[0, :, 0].tolist() == list(range(1, 50, 2))


@pytest.mark.parametrize(
    ("consensus", "expected"), [("average", [2.0, 3.0]), ("max", [3.0, 9.0]), ("topk", [2.5, 4.5])]
)
def test_snippets_agree_before_any_softmax(consensus: str, expected: list[float], make_model: Any) -> None:
    model = make_model("tsn", consensus=consensus, top=2)
    network = model.build(2, 2).eval()
    with torch.no_grad():
        network.scores.weight.copy_(torch.eye(2))
        found = network.consensus(torch.tensor([[[1.0, 0.0], [2.0, 9.0], [3.0, 0.0]]]))
    assert found.tolist() == [expected]


def test_a_video_of_two_classes_is_trained_on_both_in_equal_parts(labelled: TrainingData) -> None:
    twice = replace(labelled, labels=((0, 2), *labelled.labels[1:]))
    assert Labels.of(twice).shares[0].tolist()[:3] == [0.5, 0.0, 0.5]
    assert torch.equal(Labels.of(twice).shares.sum(1), torch.ones(12))


def test_a_fisher_vector_is_the_gradient_of_the_decoders_weights(
    labelled: TrainingData, make_model: Any, record: Any
) -> None:
    network = fitted(make_model, record(), "fv-vae", labelled).network.eval()
    batch = labelled.videos.batch([0, 3, 5])
    found = network.gradients(batch)
    for one, frames in zip(found, batch.frames.values.split(batch.frames.lengths.tolist()), strict=True):
        rows = (frames - network.mean) @ network.directions
        hidden = network.encoder(rows).detach()
        errors = (network.decoder(hidden) - rows).square() * (-network.log_variance_x).exp()
        weight, bias = torch.autograd.grad(0.5 * errors.sum(), [network.decoder.weight, network.decoder.bias])
        torch.testing.assert_close(one, torch.cat([weight, bias[:, None]], dim=1))


def test_columns_are_those_of_the_training_videos_and_rows_have_length_one(
    labelled: TrainingData, make_model: Any, record: Any
) -> None:
    model = fitted(make_model, record(), "fv-vae", labelled)
    network, batch = model.network, labelled.videos.batch(range(12))
    with torch.no_grad():
        gradients = network.gradients(batch)
    scaled = gradients / gradients.square().sum(0).sqrt()
    expected = scaled.sign() * scaled.abs().sqrt()
    torch.testing.assert_close(model.embed_videos(batch), torch.nn.functional.normalize(expected.flatten(1)))


def test_a_feature_that_never_changes_leaves_fisher_vectors_finite(
    labelled: TrainingData, make_model: Any, record: Any
) -> None:
    still = [torch.cat([rows[:, :2], torch.ones(len(rows), 4)], dim=1) for rows in labelled.videos.whole]  # type: ignore[attr-defined]
    data = replace(labelled, videos=replace(labelled.videos, whole=still))  # type: ignore[type-var]
    found = answers(fitted(make_model, record(), "fv-vae", data, reduced=6), data)
    assert torch.isfinite(found).all()


def test_the_reduction_is_principal_components_at_one_scale() -> None:
    rows = torch.from_numpy(np.random.default_rng(0).standard_normal((60, 5)) * [5, 1, 3, 0.1, 2] + 7).float()
    found = reduction_of(rows.split(13), 3, 2.0)
    reduced = (rows - found.mean) @ found.directions
    assert float(reduced.square().mean().sqrt()) == pytest.approx(2.0, rel=1e-4)
    _, _, reference = torch.linalg.svd(rows - rows.mean(0), full_matrices=False)
    agreement = torch.nn.functional.normalize(found.directions, dim=0).t() @ reference[:3].t()
    torch.testing.assert_close(agreement.abs(), torch.eye(3), atol=1e-3, rtol=0)


def test_the_variational_loss_is_minus_the_evidence_lower_bound() -> None:
    torch.manual_seed(0)
    rows, guess, means = torch.randn(4, 3), torch.randn(4, 3), torch.randn(4, 2)
    of_hidden, of_rows = torch.randn(2), torch.randn(3)
    normal = torch.distributions.Normal
    decoded = normal(guess, (0.5 * of_rows).exp()).log_prob(rows).sum(1).mean()
    prior = torch.distributions.kl_divergence(
        normal(means, (0.5 * of_hidden).exp().expand(4, 2)), normal(torch.zeros(4, 2), torch.ones(4, 2))
    )
    constant = 1.5 * np.log(2 * np.pi)
    found = variational_loss(rows, guess, (means, of_hidden), of_rows) + constant
    torch.testing.assert_close(found, prior.sum(1).mean() - decoded)


def test_the_classifier_looks_at_the_greatest_score_of_a_video() -> None:
    scores = Ragged(torch.tensor([[1.0, 0.0], [0.0, 3.0], [2.0, 5.0]]), torch.tensor([2, 1]))
    shares = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    greatest = torch.tensor([[1.0, 3.0], [2.0, 5.0]])
    torch.testing.assert_close(class_loss(scores, shares), torch.nn.functional.cross_entropy(greatest, shares))


def test_fv_vae_learns(labelled: TrainingData, make_model: Any, record: Any) -> None:
    run = record()
    fitted(make_model, run, "fv-vae", labelled, epochs=30, batch=12, lr_drop=100)
    assert run.losses[-1] < 0.8 * run.losses[0]


def test_features_are_the_mean_of_the_rows(labelled: TrainingData, make_model: Any) -> None:
    found = make_model("features").embed_videos(labelled.videos.batch(range(12)))
    torch.testing.assert_close(found, torch.stack([rows.mean(0) for rows in labelled.videos.whole]))  # type: ignore[attr-defined]


def without_segments(data: TrainingData) -> VideoBatch:
    """Returns all videos as the view `none` shows them: one segment, the whole video."""
    videos = replace(data.videos, clips=[[rows] for rows in data.videos.whole])  # type: ignore[type-var,attr-defined]
    return videos.batch(range(len(data)))


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("fse", {}),
        ("hse", {}),
        ("hse", {"embedding": "flat"}),
        ("hse", {"level2_init": "zero", "low": "strong"}),
        ("hse", {"tau": 0.0, "low": "none", "pooling": "attention"}),
    ],
)
def test_videos_without_segments_and_names_of_classes_are_embedded(
    name: str, chosen: dict[str, Any], data: TrainingData, make_model: Any, record: Any
) -> None:
    model = fitted(make_model, record(), name, data, **chosen)
    videos, names = model.embed_videos(without_segments(data)), model.embed_paragraphs([("dog",), ("zyzzyva runs",)])
    assert videos.shape == (12, names.shape[1])
    assert torch.isfinite(videos).all()
    assert torch.isfinite(names).all()


def test_the_flat_embedding_of_a_name_is_that_of_its_sentence(data: TrainingData, make_model: Any, record: Any) -> None:
    model = fitted(make_model, record(), "hse", data, embedding="flat")
    names = [("dog",), ("red ball",)]
    torch.testing.assert_close(model.embed_paragraphs(names), model.embed_sentences(names).values)
    batch = without_segments(data)
    torch.testing.assert_close(model.embed_videos(batch), model.embed_clips(batch).values)
