"""The network and the loss of HSE, term by term."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from bench.api import InvalidData, ModelError, Ragged, TrainingData
from bench_hse.loss import Side, Terms, matching_loss, matching_loss_at_once
from bench_hse.model import HSENetwork, HSEShape
from bench_torch.losses import block_loss, cluster_loss, ranking_loss
from bench_torch.text import Text, Vocabulary

TERMS = Terms(low="strong", cluster=True, margin=0.2, hardest=False, tau=0.0, tau_low=0.0)


def side(seed: int, *counts: int) -> Side:
    generator = torch.Generator().manual_seed(seed)
    parts = Ragged(torch.randn(sum(counts), 4, generator=generator), torch.tensor(counts))
    flat, sequence = torch.randn(2, len(counts), 4, generator=generator)
    return Side(parts, flat, sequence)


def network(terms: Terms = TERMS, hidden: int = 5) -> HSENetwork:
    torch.manual_seed(0)
    return HSENetwork(6, torch.randn(10, 3), terms, HSEShape(hidden, "max"))


def text_of(data: TrainingData) -> Text:
    return Vocabulary.of(data.paragraphs).encode(data.paragraphs)


def test_every_ranking_term_counts_once_with_weight_one() -> None:
    v, t = side(0, 2, 1, 3), side(1, 2, 1, 3)
    high = ranking_loss(v.sequence, t.sequence, 0.2) + ranking_loss(v.flat, t.flat, 0.2)
    cluster = cluster_loss(v.sequence, t.sequence, 0.2)
    low = ranking_loss(v.parts.values, t.parts.values, 0.2)
    low_cluster = cluster_loss(v.parts.values, t.parts.values, 0.2)
    assert low_cluster > 0
    torch.testing.assert_close(matching_loss(v, t, TERMS), high + cluster + low + low_cluster)
    torch.testing.assert_close(matching_loss(v, t, replace(TERMS, cluster=False)), high + low)
    torch.testing.assert_close(matching_loss(v, t, replace(TERMS, low="none")), high + cluster)
    weak = block_loss(v.parts, t.parts, 0.2)
    torch.testing.assert_close(matching_loss(v, t, replace(TERMS, low="weak")), high + cluster + weak + low_cluster)
    torch.testing.assert_close(matching_loss(v, t, replace(TERMS, low="weak", cluster=False)), high + weak)


@pytest.mark.parametrize("low", ["strong", "none"])
@pytest.mark.parametrize("cluster", [True, False])
@pytest.mark.parametrize("hardest", [True, False])
@pytest.mark.parametrize("repeated", [True, False])
def test_all_terms_at_once_are_those_one_after_the_other(
    low: str, cluster: bool, hardest: bool, repeated: bool
) -> None:
    v, t = side(0, 2, 1, 3), side(1, 2, 1, 3)
    inputs = [x.requires_grad_() for x in (v.flat, v.sequence, v.parts.values, t.flat, t.sequence, t.parts.values)]
    terms = replace(TERMS, low=low, cluster=cluster, hardest=hardest)
    same = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 0, 1]], dtype=torch.bool) if repeated else None
    losses = [loss(v, t, terms, same) for loss in (matching_loss, matching_loss_at_once)]
    torch.testing.assert_close(*losses, rtol=1e-5, atol=1e-6)
    for one, other in zip(*(torch.autograd.grad(loss, inputs, allow_unused=True) for loss in losses), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_weak_matching_is_the_released_code_s_loss_worked_out_by_hand() -> None:
    whole = torch.eye(2)  # two videos and paragraphs that match and are orthogonal: every term above is 0
    clips = Ragged(torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]]), torch.tensor([2, 1]))
    sentences = Ragged(torch.tensor([[1.0, 0.0], [12.0, 5.0]]), torch.tensor([1, 1]))
    # loss_2: the blocks' mean cosines are [[1, 12/13], [0, 5/13]]; of the four hinges two are positive, over 2 * 2
    blocks = ((0.2 + 12 / 13 - 1) + (0.2 + 12 / 13 - 5 / 13)) / 4
    # loss_6: clips 1 and 2 point one way, four hinges of 0.2 over 3 * 3; sentences have a cosine of 12/13, over 2 * 2
    clusters = (4 * 0.2 / 9 + 4 * (0.2 + 12 / 13 - 1) / 4) / 2
    assert blocks + clusters == pytest.approx(188 / 585)
    found = matching_loss(Side(clips, whole, whole), Side(sentences, whole, whole), replace(TERMS, low="weak"))
    assert float(found) == pytest.approx(188 / 585)


def test_weak_matching_needs_no_equal_counts_and_strong_does() -> None:
    v, t = side(0, 2, 1, 3), side(1, 2, 2, 2)
    assert torch.isfinite(matching_loss(v, t, replace(TERMS, low="weak")))
    with pytest.raises(InvalidData, match="2 of 3 videos"):
        matching_loss(v, t, TERMS)


def test_strong_matching_of_unaligned_clips_is_refused_and_auto_is_weak_there(
    data: TrainingData, make_model: Any, record: Any
) -> None:
    unaligned = replace(data, aligned=False, paragraphs=tuple((*p, "dog.") for p in data.paragraphs))
    with pytest.raises(ModelError, match="low=strong needs clips that belong to sentences"):
        make_model("hse", low="strong").fit(unaligned, record().training())
    model = make_model("hse")
    model.fit(unaligned, record().training())
    assert model.network.terms.low == "weak"
    model.fit(data, record().training())
    assert model.network.terms.low == "strong"


def test_clips_and_whole_videos_in_one_pass_equal_two_passes(data: TrainingData) -> None:
    model, videos, text = network(), data.videos.batch(range(12)), text_of(data)
    encoded = model.encode_videos(videos)
    torch.testing.assert_close(encoded.parts.values, model.video.low(videos.clip_frames))
    torch.testing.assert_close(encoded.flat, model.video.low(videos.frames))
    written = model.encode_text(text)
    torch.testing.assert_close(written.parts.values, model.text.low(model.words(text.sentences)))
    torch.testing.assert_close(written.flat, model.text.low(model.words(text.paragraphs())))


def test_the_high_level_starts_from_the_raw_flat_embedding_or_from_zero(data: TrainingData) -> None:
    model, videos = network(), data.videos.batch(range(12))
    encoded = model.encode_videos(videos)
    torch.testing.assert_close(encoded.sequence, model.video.high(encoded.parts, encoded.flat))
    model.context = False
    torch.testing.assert_close(model.encode_videos(videos).sequence, model.video.high(encoded.parts))
    assert not torch.allclose(model.encode_videos(videos).sequence, encoded.sequence)


def test_the_frame_decoder_unrolls_the_reconstructed_clip(data: TrainingData) -> None:
    terms = replace(TERMS, tau=0.5, tau_low=0.25)
    model, videos = network(terms), data.videos.batch([0, 3])
    encoded = model.encode_videos(videos)
    loss = model.video.reconstruct(encoded, videos.clip_frames, terms)
    clip_distances, frame_distances, clip = [], [], 0
    frames = videos.clip_frames.values.split(videos.clip_frames.lengths.tolist())
    for vector, count in zip(encoded.sequence, videos.segments.lengths.tolist(), strict=True):
        rebuilt, _ = model.video.high_decoder.cell(vector.repeat(count, 1))
        for guess in rebuilt:
            clip_distances.append((guess - encoded.parts.values[clip]).norm())
            below, _ = model.video.low_decoder.cell(guess.repeat(len(frames[clip]), 1))
            frame_distances.append((below - frames[clip]).norm(dim=1))
            clip += 1
    expected = 0.5 * torch.stack(clip_distances).mean() + 0.25 * torch.cat(frame_distances).mean()
    torch.testing.assert_close(loss, expected)


def test_the_loss_adds_reconstruction_of_both_sides(data: TrainingData) -> None:
    terms = replace(TERMS, tau=0.5, tau_low=0.25)
    model, videos, text = network(terms), data.videos.batch(range(12)), text_of(data)
    encoded, written = model.encode_videos(videos), model.encode_text(text)
    expected = (
        matching_loss(encoded, written, terms)
        + model.video.reconstruct(encoded, videos.clip_frames, terms)
        + model.text.reconstruct(written, model.words(text.sentences), terms)
    )
    torch.testing.assert_close(model.loss(videos, text), expected)


def test_tau_zero_has_no_decoders() -> None:
    def names(tau: float) -> list[str]:
        return [name for name, _ in network(replace(TERMS, tau=tau, tau_low=1e-4)).named_parameters()]

    assert not [name for name in names(0.0) if "decoder" in name]
    assert [name for name in names(5e-4) if "decoder" in name]


def test_bf16_gives_every_decoder_about_the_gradient_of_fp32(data: TrainingData) -> None:
    model, videos, text = network(replace(TERMS, tau=1e-6, tau_low=1e-9)), data.videos.batch(range(12)), text_of(data)
    decoders = {name: weights for name, weights in model.named_parameters() if "decoder" in name}
    exact = torch.autograd.grad(model.loss(videos, text), list(decoders.values()))
    with torch.autocast("cpu", torch.bfloat16):
        loss = model.loss(videos, text)
    for name, fine, rounded in zip(decoders, exact, torch.autograd.grad(loss, list(decoders.values())), strict=True):
        assert fine.norm() > 0, name
        assert (rounded - fine).norm() <= 0.1 * fine.norm(), name


def test_reconstruction_moves_no_target(data: TrainingData) -> None:
    terms = replace(TERMS, tau=1.0, tau_low=1.0)
    model, text = network(terms), text_of(data)
    written = model.encode_text(text)
    loss = model.text.reconstruct(written, model.words(text.sentences), terms)
    through_parts = torch.autograd.grad(loss, written.parts.values, retain_graph=True)[0]
    only_by_sequence = torch.autograd.grad(
        written.sequence, written.parts.values, torch.autograd.grad(loss, written.sequence, retain_graph=True)[0]
    )[0]
    torch.testing.assert_close(through_parts, only_by_sequence)


def test_flat_and_sequence_embeddings_come_from_the_same_checkpoint(
    data: TrainingData, make_model: Any, record: Any, spec: Any
) -> None:
    assert not spec("hse").settings["embedding"].trained
    sequence, flat = make_model("hse"), make_model("hse", embedding="flat")
    sequence.fit(data, record().training())
    flat.load_state(sequence.state())
    batch = data.videos.batch(range(12))
    encoded = sequence.network.encode_videos(batch)
    torch.testing.assert_close(flat.embed_videos(batch), encoded.flat.detach())
    torch.testing.assert_close(sequence.embed_videos(batch), encoded.sequence.detach())
    written = sequence.network.encode_text(sequence.encode(data.paragraphs))
    torch.testing.assert_close(flat.embed_paragraphs(data.paragraphs), written.flat.detach())


@pytest.mark.parametrize(
    "chosen",
    [
        {"low": "none", "tau": 0.0},
        {"low": "weak", "hardest": True},
        {"low": "weak", "cluster": False},
        {"level2_init": "zero", "cluster": False},
        {"hardest": True, "pooling": "last"},
    ],
)
def test_every_choice_trains(chosen: dict[str, Any], data: TrainingData, make_model: Any, record: Any) -> None:
    run = record()
    make_model("hse", epochs=15, batch=12, lr_drop=100, **chosen).fit(data, run.training())
    assert run.losses[-1] < run.losses[0]
