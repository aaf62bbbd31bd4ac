"""Recall on held-out training videos, to choose an epoch or a setting. Test sets are scored by the harness alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

TILE = 1024


def recalls(queries: Tensor, items: Tensor, ks: tuple[int, ...], ids: Sequence[str] = ()) -> list[float]:
    """Returns R@k in percent for each k; query i (n, d) looks for item i (n, d). Ties count by expectation.

    Args:
        ids: (n,) the video of each pair; items of a query's own video, other than its own, are not compared with it.
            () where every video has one pair.
    """
    queries, items = functional.normalize(queries.float()), functional.normalize(items.float())
    number = {video_id: i for i, video_id in enumerate(dict.fromkeys(ids))}
    owners = torch.tensor([number[video_id] for video_id in ids]) if len(number) < len(ids) else None
    counts = []
    for start in range(0, len(queries), TILE):
        scores = queries[start : start + TILE] @ items.t()
        positive = scores.diagonal(start)[:, None].clone()
        if owners is not None:
            scores.masked_fill_(owners[start : start + TILE, None] == owners[None, :], -torch.inf)
            scores[torch.arange(len(scores)), torch.arange(start, start + len(scores))] = positive[:, 0]
        counts.append(torch.stack([(scores > positive).sum(1), (scores == positive).sum(1)]))
    greater, equal = torch.cat(counts, dim=1).double()
    return [100 * ((k - greater) / equal).clamp(0, 1).mean().item() for k in ks]
