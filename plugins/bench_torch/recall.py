"""Recall on held-out training videos, to choose an epoch or a setting. Test sets are scored by the harness alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

TILE = 1024


def recalls(queries: Tensor, items: Tensor, ks: tuple[int, ...]) -> list[float]:
    """Returns R@k in percent for each k; query i (n, d) looks for item i (n, d). Ties count by expectation."""
    queries, items = functional.normalize(queries.float()), functional.normalize(items.float())
    counts = []
    for start in range(0, len(queries), TILE):
        scores = queries[start : start + TILE] @ items.t()
        positive = scores.diagonal(start)[:, None]
        counts.append(torch.stack([(scores > positive).sum(1), (scores == positive).sum(1)]))
    greater, equal = torch.cat(counts, dim=1).double()
    return [100 * ((k - greater) / equal).clamp(0, 1).mean().item() for k in ks]
