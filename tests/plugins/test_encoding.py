"""Encoding a split: batches of any size, longest videos first, give the embeddings that each video has alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bench.api import Execution
from bench_torch import recurrence
from bench_torch.training import embed_all


@pytest.mark.parametrize("name", ["fse", "hse"])
def test_embeddings_are_equal_for_any_batch_size(
    name: str, make_training_data: Any, make_model: Any, record: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurrence, "CHUNK_ROWS", 16)
    data = make_training_data(40)
    model = make_model(name)
    model.fit(data, record().training())
    found = [embed_all(model.network, model.examples(data), Execution(batch_size=size)) for size in (1, 7, 40, 64)]
    for sides in found:
        for side, reference in zip(sides, found[0], strict=True):
            torch.testing.assert_close(side, reference, rtol=1e-5, atol=1e-5)
            assert not side.requires_grad
