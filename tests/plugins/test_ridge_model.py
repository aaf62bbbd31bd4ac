"""`ridge`: its map is that of ridge regression, and its penalty is chosen on held-out videos."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from bench.api import Execution, ModelError, TrainingData, UsageError


def means(data: TrainingData) -> np.ndarray:
    """Returns (n, D), the mean frame of each video."""
    frames = data.videos.batch(range(len(data))).frames
    return np.stack([rows.mean(0).numpy() for rows in frames.values.double().split(frames.lengths.tolist())])


def fitted(make_model: Any, record: Any, data: TrainingData, **chosen: Any) -> Any:
    model = make_model("ridge", **chosen)
    model.fit(data, record().training())
    return model


@pytest.mark.parametrize("penalty", [0.01, 3.0])
def test_the_map_is_that_of_ridge_regression_with_an_intercept(
    make_training_data: Any, make_model: Any, record: Any, penalty: float
) -> None:
    from sklearn.linear_model import Ridge

    data = make_training_data(30, seed=1)
    model = fitted(make_model, record, data, penalties=str(penalty))
    said, x = model.embed_paragraphs(data.paragraphs).numpy(), means(data)

    unit = np.square(x - x.mean(0)).sum(0).mean()
    expected = Ridge(alpha=penalty * unit).fit(x, said).predict(x)

    np.testing.assert_allclose(model.embed_videos(data.videos.batch(range(30))).numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(said.mean(0), 0, atol=1e-6)


def test_the_unit_of_features_does_not_count(make_training_data: Any, make_model: Any, record: Any) -> None:
    data = make_training_data(30, seed=1)

    class Scaled:
        """The same videos in another unit."""

        ids, rows, dim = data.videos.ids, data.videos.rows, data.videos.dim

        def __len__(self) -> int:
            return len(data)

        def batch(self, indices: Any) -> Any:
            batch = data.videos.batch(indices)
            return replace(batch, frames=replace(batch.frames, values=1000 * batch.frames.values))

        def batches(self, groups: Any, device: str) -> Any:
            return (self.batch(group) for group in groups)

    scaled = replace(data, videos=Scaled())
    mine, other = (fitted(make_model, record, one, penalties="0.1") for one in (data, scaled))

    torch.testing.assert_close(
        mine.embed_videos(data.videos.batch([3])), other.embed_videos(scaled.videos.batch([3])), atol=1e-5, rtol=1e-4
    )


def test_the_best_penalty_on_held_out_videos_is_used_on_all(
    make_training_data: Any, make_model: Any, record: Any
) -> None:
    data = make_training_data(60, heldout=20, seed=2)
    tried = {penalty: fitted(make_model, record, data.split()[0], penalties=penalty) for penalty in ("0.001", "1e9")}
    tested = data.split()[1]

    def merit(model: Any) -> float:
        return float(model.network.merit(model.examples(tested), Execution()))

    best = max(tried, key=lambda penalty: merit(tried[penalty]))
    assert merit(tried["0.001"]) != merit(tried["1e9"])

    chosen = fitted(make_model, record, data, penalties="0.001 1e9")
    alone = fitted(make_model, record, data, penalties=best)

    videos = data.videos.batch(range(60))
    assert torch.equal(chosen.embed_videos(videos), alone.embed_videos(videos))


def test_several_penalties_need_held_out_videos(data: TrainingData, make_model: Any, record: Any) -> None:
    with pytest.raises(ModelError, match="name one penalty"):
        fitted(make_model, record, data, penalties="1 10")


@pytest.mark.parametrize("text", ["", "a", "0", "-1 2", "1,2", "nan", "inf"])
def test_penalties_that_are_none_are_refused(make_model: Any, text: str) -> None:
    with pytest.raises(UsageError, match="no list of positive numbers"):
        make_model("ridge", penalties=text)
