"""What must hold on a CUDA device; elsewhere on one that is pretended (`pretend_device`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bench.api import Execution, Interrupted, Ragged, TrainingData
from bench_torch.encoder import POOLINGS
from bench_torch.gru import GRU, run_cudnn, run_recurrence
from bench_torch.lstm import LSTM, Memory
from bench_torch.packing import Packing

pytestmark = pytest.mark.usefixtures("cuda")

GPU = Execution(device="cuda:0")
LENGTHS = torch.tensor([3, 1, 5, 5, 2])


@pytest.mark.parametrize("name", ["fse", "hse", "s2vt", "dense", "mean-pool", "random", "count-only"])
def test_embeddings_on_the_gpu_equal_those_on_the_cpu(
    name: str, make_training_data: Any, make_model: Any, record: Any
) -> None:
    data = make_training_data(heldout=3)
    on_cpu, on_gpu = make_model(name), make_model(name, GPU)
    if hasattr(on_cpu, "fit"):
        on_cpu.fit(data, record().training())
        on_gpu.load_state(on_cpu.state())
    batch = data.videos.batch(range(12))
    for here, there in (
        (on_cpu.embed_videos(batch), on_gpu.embed_videos(batch.to("cuda:0"))),
        (on_cpu.embed_paragraphs(data.paragraphs), on_gpu.embed_paragraphs(data.paragraphs)),
    ):
        assert there.is_cuda
        torch.testing.assert_close(there.cpu(), here, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("name", "score"), [("s2vt", "likelihood"), ("dense", "alignment"), ("dense", "likelihood")])
def test_pair_scores_on_the_gpu_equal_those_on_the_cpu(
    name: str, score: str, data: TrainingData, make_model: Any, record: Any
) -> None:
    on_cpu, on_gpu = make_model(name, score=score), make_model(name, GPU, score=score)
    on_cpu.fit(data, record().training())
    on_gpu.load_state(on_cpu.state())
    batch = data.videos.batch(range(12))
    here, there = (
        model.score(model.encode_videos(batch.to(device)), model.encode_paragraphs(data.paragraphs))
        for model, device in ((on_cpu, "cpu"), (on_gpu, "cuda:0"))
    )
    assert there.is_cuda
    torch.testing.assert_close(there.cpu(), here, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["s2vt", "dense", "dvc", "fse-captioner", "hse-captioner"])
@pytest.mark.parametrize("beam", [1, 3])
def test_captions_on_the_gpu_equal_those_on_the_cpu(
    name: str, beam: int, data: TrainingData, make_model: Any, record: Any
) -> None:
    chosen = {"beam": beam, "epochs": 20, **({"score": "captioning"} if name in {"s2vt", "dense"} else {})}
    base = make_model(name.removesuffix("-captioner")) if name.endswith("-captioner") else None
    if base is not None:
        base.fit(data, record().training())
    on_cpu, on_gpu = make_model(name, **chosen), make_model(name, GPU, **chosen)
    on_cpu.fit(data, record().training(base))
    on_gpu.load_state(on_cpu.state())
    batch = data.videos.batch(range(12))
    assert on_gpu.caption(batch.to("cuda:0")) == on_cpu.caption(batch)


@pytest.mark.parametrize("name", ["dvc", "s2vt"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_captioner_trains_on_the_gpu(
    name: str, precision: Any, data: TrainingData, make_model: Any, record: Any
) -> None:
    run = record(Execution(device="cuda:0", precision=precision))
    chosen = {"score": "captioning"} if name == "s2vt" else {"self_critical": 0.0}
    model = make_model(name, run.execution, epochs=12, batch=12, lr_drop=100, **chosen)
    model.fit(data, run.training())
    assert run.losses[-1] < 0.9 * run.losses[0]


@pytest.mark.parametrize("name", ["tsn", "fv-vae", "features"])
def test_answers_of_recognition_on_the_gpu_equal_those_on_the_cpu(
    name: str, make_labelled_data: Any, make_model: Any, record: Any
) -> None:
    data = make_labelled_data()
    on_cpu, on_gpu = make_model(name), make_model(name, GPU)
    if hasattr(on_cpu, "fit"):
        on_cpu.fit(data, record().training())
        on_gpu.load_state(on_cpu.state())
        make_model(name, GPU).fit(data, record(GPU).training())
    batch = data.videos.batch(range(12))
    here, there = (
        model.classify(videos) if name == "tsn" else model.embed_videos(videos)
        for model, videos in ((on_cpu, batch), (on_gpu, batch.to("cuda:0")))
    )
    assert there.is_cuda
    torch.testing.assert_close(there.cpu(), here, rtol=1e-2, atol=1e-3)


def test_an_lstm_on_the_gpu_goes_on_from_a_memory_as_on_the_cpu() -> None:
    torch.manual_seed(0)
    lstm, inputs = LSTM(4, 6), torch.randn(16, 4)
    start = Memory(torch.randn(5, 6), torch.randn(5, 6))
    states, memory = lstm(Ragged(inputs, LENGTHS), start)
    moved = Memory(start.hidden.cuda(), start.cell.cuda())
    there, last = lstm.cuda()(Ragged(inputs.cuda(), LENGTHS), moved)
    torch.testing.assert_close(there.values.cpu(), states.values, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(last.cell.cpu(), memory.cell, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("with_initial", [False, True])
def test_cudnn_and_our_recurrence_agree_in_states_and_gradients(with_initial: bool) -> None:
    torch.manual_seed(0)
    gru = GRU(4, 6).cuda()
    packing = Packing.of(LENGTHS, "cuda")
    inputs = torch.randn(16, 4, device="cuda").requires_grad_()
    initial = torch.randn(5, 6, device="cuda").requires_grad_() if with_initial else None
    ours = run_recurrence(gru.cell, packing.pack(inputs), packing, initial)
    theirs = run_cudnn(gru.cell, packing.pack(inputs), packing, initial)
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
    wanted = [inputs, *gru.parameters(), *([] if initial is None else [initial])]
    weight = torch.randn_like(ours)
    for mine, reference in zip(
        torch.autograd.grad((ours * weight).sum(), wanted),
        torch.autograd.grad((theirs * weight).sum(), wanted),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("kind", [GRU, LSTM])
def test_autocast_leaves_recurrences_on_the_gpu_in_float32(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    recurrent, inputs = kind(4, 6).cuda(), torch.randn(16, 4, device="cuda")
    sequences = Ragged(inputs, LENGTHS)

    def states() -> torch.Tensor:
        found = recurrent(sequences)
        return found.packed if kind is GRU else found[0].values

    exact = states()
    with torch.autocast("cuda", torch.bfloat16):
        found = states()
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, exact)


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
@pytest.mark.parametrize(
    ("name", "chosen", "decoders"),
    [
        ("hse", {"tau": 1e-6, "tau_low": 1e-9}, 16),  # in float16 these gradients would be exactly 0
        ("s2vt", {"score": "captioning"}, 7),
        ("s2vt", {"score": "likelihood"}, 14),
        ("dense", {"score": "captioning"}, 7),
        ("dense", {"score": "likelihood"}, 14),
        ("dvc", {"self_critical": 0.0}, 7),
        ("fse-captioner", {}, 7),
        ("hse-captioner", {}, 7),
    ],
)
def test_bf16_gives_every_decoder_the_gradient_of_fp32(
    name: str, chosen: dict[str, Any], decoders: int, device: str, data: TrainingData, make_model: Any, record: Any
) -> None:
    execution = Execution(device=device)
    base = make_model(name.removesuffix("-captioner"), execution, epochs=0) if name.endswith("-captioner") else None
    if base is not None:
        base.fit(data, record(execution).training())
    model = make_model(name, execution, epochs=0, **chosen)
    model.fit(data, record(execution).training(base))
    network = model.network
    videos, text = data.videos.batch(range(12)).to(device), model.encode(data.paragraphs)
    parts = ("decoder", "upper", "language")
    weights = {key: each for key, each in network.named_parameters() if any(part in key for part in parts)}
    assert len(weights) == decoders
    gradients = []
    for enabled in (False, True):
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=enabled):
            loss = network.loss(videos, text)
        gradients.append(torch.autograd.grad(loss, list(weights.values())))
    for key, exact, rounded in zip(weights, *gradients, strict=True):
        assert exact.norm() > 0, key
        assert (rounded - exact).norm() <= 0.02 * exact.norm(), key


def test_a_repeated_input_on_the_gpu_equals_the_cpu() -> None:
    torch.manual_seed(0)
    gru, vectors = GRU(4, 6), torch.randn(5, 4)
    here = gru.repeat(vectors, LENGTHS).ragged().values
    there = gru.cuda().repeat(vectors.cuda(), LENGTHS).ragged().values
    torch.testing.assert_close(there.cpu(), here, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["fse", "hse"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_model_trains_on_the_gpu(
    name: str, precision: Any, pooling: str, data: TrainingData, make_model: Any, record: Any
) -> None:
    run = record(Execution(device="cuda:0", precision=precision))
    model = make_model(name, run.execution, epochs=12, batch=12, lr_drop=100, pooling=pooling)
    model.fit(data, run.training())
    assert run.losses[-1] < 0.8 * run.losses[0]
    assert all(array.dtype == np.float32 for array in model.state().arrays.values())
    assert model.embed_paragraphs(data.paragraphs).dtype == torch.float32


@pytest.mark.parametrize("name", ["fse", "hse"])
def test_an_interrupted_fit_goes_on_on_the_gpu(name: str, data: TrainingData, make_model: Any, record: Any) -> None:
    whole, stopped = record(GPU), record(GPU, stop_after=4)
    make_model(name, GPU).fit(data, whole.training())
    with pytest.raises(Interrupted):
        make_model(name, GPU).fit(data, stopped.training())
    rest = record(GPU, start=stopped.states[-1])
    make_model(name, GPU).fit(data, rest.training())
    # cuDNN adds up in no fixed order, so equality is not exact there
    assert stopped.losses + rest.losses == pytest.approx(whole.losses, rel=1e-3)
