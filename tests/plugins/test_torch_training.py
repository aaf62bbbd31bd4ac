from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bench.api import Execution, Interrupted, InvalidData, ModelError, State, TrainingData, VideoBatch
from bench.files import read_tensors, write_tensors
from bench_torch.adam import Adam
from bench_torch.checkpoints import module_arrays, restore_module
from bench_torch.recall import recalls
from bench_torch.text import Text, Vocabulary
from bench_torch.training import Examples, MatchingNetwork, Schedule, embed_all, train

TRAINABLE = ("fse", "hse", "mean-pool")


def arrays_equal(one: State, other: State) -> bool:
    return one.arrays.keys() == other.arrays.keys() and all(
        np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays
    )


class Slope(MatchingNetwork):
    """The smallest network: its loss is a number times its only weight, plus noise from torch's generator."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__(6)
        self.weight = nn.Parameter(torch.zeros(1))
        self.factor = factor
        self.seen: list[tuple[str, ...]] = []

    def loss(self, videos: VideoBatch, text: Text) -> torch.Tensor:
        self.seen.append(videos.ids)
        return (self.weight * self.factor * torch.rand(1)).sum()

    def embed_videos(self, videos: VideoBatch) -> torch.Tensor:
        return torch.stack([f.mean(0) for f in videos.frames.values.split(videos.frames.lengths.tolist())])

    def embed_text(self, text: Text) -> torch.Tensor:
        return torch.randn(len(text), 6)


def examples(data: TrainingData) -> Examples:
    return Examples(data.videos, Vocabulary.of(data.paragraphs).encode(data.paragraphs))


def test_every_epoch_visits_every_video_once_in_an_order_of_seed_and_epoch(data: TrainingData, record: Any) -> None:
    orders = {}
    for seed in (0, 0, 1):
        network = Slope()
        run = record(Execution(seed=seed))
        train(network, examples(data), None, Schedule(2, 5, 0.1, 1), run.training())
        assert [len(batch) for batch in network.seen] == [5, 5, 2] * 2
        first, second = sum(network.seen[:3], ()), sum(network.seen[3:], ())
        assert sorted(first) == sorted(second) == sorted(data.videos.ids)
        assert first != second
        assert orders.setdefault(seed, first) == first
    assert orders[0] != orders[1]


def test_gradients_are_made_without_tf32_and_the_users_switches_stay(
    data: TrainingData, record: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    switches, network, seen = torch.backends.cudnn, Slope(), []
    for name in ("allow_tf32", "deterministic"):
        monkeypatch.setattr(switches, name, True)
    network.weight.register_hook(lambda _: seen.append((switches.allow_tf32, switches.deterministic)))
    train(network, examples(data), None, Schedule(1, 12, 0.1, 1), record().training())
    assert seen == [(False, True)]
    assert switches.allow_tf32


def test_the_learning_rate_falls_tenfold_after_every_drop() -> None:
    schedule = Schedule(epochs=15, batch=64, lr=1e-3, lr_drop=10)
    assert [schedule.rate(epoch) for epoch in (0, 9, 10, 14, 20)] == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5])


def test_a_checkpoint_is_saved_after_every_epoch(data: TrainingData, record: Any) -> None:
    run = record()
    train(Slope(), examples(data), None, Schedule(3, 5, 0.1, 1), run.training())
    assert [(state.values["epoch"], state.values["position"]) for state in run.states] == [(1, 0), (2, 0), (3, 0)]


def test_a_checkpoint_is_saved_whenever_it_is_due_and_gone_on_from_exactly(data: TrainingData, record: Any) -> None:
    schedule, asked = Schedule(2, 5, 0.1, 1), []
    whole = record()

    def due(epoch_done: bool) -> bool:
        asked.append(epoch_done)
        return len(asked) in (2, 4)

    torch.manual_seed(0)
    train(Slope(), examples(data), None, schedule, replace(whole.training(), checkpoint_due=due))
    assert asked == [False, False, True] * 2
    assert [(state.values["epoch"], state.values["position"]) for state in whole.states] == [(0, 2), (1, 1)]
    for state, done in zip(whole.states, (2, 4), strict=True):
        resumed = record(start=state)
        train(Slope(), examples(data), None, schedule, resumed.training())
        assert resumed.losses == whole.losses[done:]


def test_a_loss_that_is_not_finite_names_epoch_and_step(data: TrainingData, record: Any) -> None:
    with pytest.raises(ModelError, match=r"became nan in epoch 1, step 1\. Try a smaller lr \(now 0\.1\)"):
        train(Slope(float("nan")), examples(data), None, Schedule(2, 5, 0.1, 1), record().training())


def test_a_stop_request_saves_where_it_is_and_raises_interrupted(data: TrainingData, record: Any) -> None:
    run = record(stop_after=4)
    with pytest.raises(Interrupted, match="after 1 of 2 epochs and 1 batches"):
        train(Slope(), examples(data), None, Schedule(2, 5, 0.1, 1), run.training())
    assert (run.states[-1].values["epoch"], run.states[-1].values["position"]) == (1, 1)


@pytest.mark.parametrize("steps", range(1, 7))
def test_resuming_gives_the_weights_of_an_uninterrupted_run_bit_by_bit(
    data: TrainingData, record: Any, steps: int
) -> None:
    schedule = Schedule(2, 5, 0.1, 1)
    whole, stopped, resumed = record(), record(stop_after=steps), record()
    torch.manual_seed(0)
    train(Slope(), examples(data), None, schedule, whole.training())
    torch.manual_seed(0)
    with pytest.raises(Interrupted):
        train(Slope(), examples(data), None, schedule, stopped.training())
    resumed.start = stopped.states[-1]
    torch.manual_seed(99)
    train(Slope(), examples(data), None, schedule, resumed.training())
    assert whole.losses == stopped.losses + resumed.losses
    assert arrays_equal(whole.states[-1], (stopped.states + resumed.states)[-1])


def test_held_out_selection_keeps_the_best_epoch(data: TrainingData, record: Any) -> None:
    class Best(Slope):
        """Matches best after its second epoch, when its weight has been moved twice three times."""

        def embed_text(self, text: Text) -> torch.Tensor:
            vectors = torch.eye(6)[: len(text)].clone()
            if len(self.seen) != 6:
                vectors = vectors.roll(1, 0)
            return vectors

        def embed_videos(self, videos: VideoBatch) -> torch.Tensor:
            return torch.eye(6)[: len(videos)]

    network, run = Best(), record()
    heldout = examples(data.subset(range(4)))
    train(network, examples(data), heldout, Schedule(3, 5, 0.1, 5, "held-out"), run.training())
    second = run.states[1]
    assert run.states[-1].values["best_epoch"] == 2
    assert network.weight.item() == second.arrays["network.weight"].item()
    assert network.weight.item() != run.states[-1].arrays["network.weight"].item()


def test_embeddings_come_back_in_the_order_of_the_examples(data: TrainingData) -> None:
    videos, _ = embed_all(Slope(), examples(data), Execution(batch_size=5))
    expected = torch.stack([data.videos.batch([i]).frames.values.mean(0) for i in range(len(data))])
    torch.testing.assert_close(videos, expected)


def test_recall_counts_ties_by_expectation() -> None:
    items = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert recalls(items, items, (1, 2)) == [100, 100]
    assert recalls(torch.ones(3, 2), torch.ones(3, 2), (1, 2)) == pytest.approx([100 / 3, 200 / 3])
    # query 0 meets item 2 first, query 1 item 1, query 2 item 0
    assert recalls(torch.tensor([[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]]), items, (1,)) == pytest.approx([100 / 3])


def test_module_and_optimizer_survive_a_file(tmp_path: Path) -> None:
    layer, other = nn.Linear(3, 2), nn.Linear(3, 2)
    optimizers = [Adam(module.parameters(), 1e-3) for module in (layer, other)]
    layer(torch.ones(1, 3)).sum().backward()
    optimizers[0].step()
    arrays = module_arrays(layer, "network.") | optimizers[0].arrays("optimizer.")
    write_tensors(tmp_path / "state", arrays, {})
    read, _ = read_tensors(tmp_path / "state")
    restore_module(other, read, "network.")
    optimizers[1].restore(read, "optimizer.")
    for module, optimizer in zip((layer, other), optimizers, strict=True):
        module.zero_grad()
        module(torch.ones(1, 3)).square().sum().backward()
        optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(layer.parameters(), other.parameters(), strict=True))


def test_adam_steps_as_the_optimizer_of_torch_does_to_the_last_bit() -> None:
    ours, theirs = nn.LSTM(5, 4), nn.LSTM(5, 4)
    theirs.load_state_dict(ours.state_dict())
    mine, other = Adam(ours.parameters(), 0.01), torch.optim.Adam(theirs.parameters(), lr=0.01, fused=True)
    for step in range(4):
        mine.lr = other.param_groups[0]["lr"] = 0.01 / (step + 1)
        sequence = torch.randn(3, 2, 5, generator=torch.Generator().manual_seed(step))
        mine.clear_gradients()
        other.zero_grad(set_to_none=True)
        for network in (ours, theirs):
            network(sequence)[0].square().sum().backward()
            if step == 1:
                network.bias_hh_l0.grad = None  # a parameter without a gradient stays, and its count too
        mine.step()
        other.step()
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))
    kept = {f"{i}.{name}": v.numpy() for i, of in other.state_dict()["state"].items() for name, v in of.items()}
    arrays = mine.arrays("")
    assert arrays.keys() == kept.keys()  # checkpoints from before are read as they are
    assert all(np.array_equal(arrays[name], value) for name, value in kept.items())


def test_saved_arrays_do_not_follow_the_live_weights() -> None:
    layer = nn.Linear(1, 1, bias=False)
    saved = module_arrays(layer, "")
    before = saved["weight"].copy()
    with torch.no_grad():
        layer.weight += 1
    assert np.array_equal(saved["weight"], before)


def test_a_checkpoint_of_another_shape_is_refused() -> None:
    with pytest.raises(InvalidData, match="does not fit the model"):
        restore_module(nn.Linear(3, 2), module_arrays(nn.Linear(4, 2), "network."), "network.")


@pytest.mark.parametrize(("name", "steps"), [("fse", 3), ("hse", 3), ("mean-pool", 5)])
def test_a_fit_that_was_killed_again_and_again_ends_where_an_unbroken_one_does(
    name: str, steps: int, make_training_data: Any, make_model: Any, record: Any, killed: type[Exception]
) -> None:
    data = make_training_data(12, heldout=4)
    chosen = {} if name == "mean-pool" else {"selection": "held-out"}
    unbroken = make_model(name, **chosen)
    unbroken.fit(data, record().training())
    start = None
    for _ in range(20):
        model, run = make_model(name, **chosen), record(die_after=steps, start=start)
        try:
            model.fit(data, run.training())
        except killed:
            start = run.states[-1] if run.states else start
        else:
            break
    assert start is not None
    assert arrays_equal(model.state(), unbroken.state())
    assert model.state().values == unbroken.state().values


@pytest.mark.parametrize("name", TRAINABLE)
@pytest.mark.parametrize("steps", [1, 4])
def test_a_fit_that_was_asked_to_stop_goes_on_exactly(
    name: str, steps: int, data: TrainingData, make_model: Any, record: Any
) -> None:
    chosen = {"candidates": "0.01/0.1/8"} if name == "mean-pool" else {}
    unbroken, run = make_model(name, **chosen), record()
    unbroken.fit(data, run.training())
    stopped = record(stop_after=steps)
    with pytest.raises(Interrupted):
        make_model(name, **chosen).fit(data, stopped.training())
    resumed, rest = make_model(name, **chosen), record(start=stopped.states[-1])
    resumed.fit(data, rest.training())
    assert stopped.losses + rest.losses == run.losses
    assert arrays_equal(resumed.state(), unbroken.state())


@pytest.mark.parametrize("name", TRAINABLE)
def test_fitting_leaves_torchs_generator_as_it_was(
    name: str, make_training_data: Callable[..., TrainingData], make_model: Any, record: Any
) -> None:
    before = torch.get_rng_state()
    make_model(name).fit(make_training_data(heldout=3), record().training())
    assert torch.equal(before, torch.get_rng_state())
