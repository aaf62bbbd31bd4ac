"""One side of a test set turned into vectors by a model, batch by batch, every answer checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import ModelError
from bench.inputs import Execution, Inputs, length_ordered
from bench.models import VideoEncoder, VideoTextEncoder
from bench.predictions import check_rows

if TYPE_CHECKING:
    from torch import Tensor

Done = Callable[[int], None]
"""Told after each batch how many items are embedded."""


def embed_videos(model: VideoEncoder, inputs: Inputs, execution: Execution, done: Done) -> np.ndarray:
    """Returns (n_videos, d) float32 in the order of the inputs. Raises: ModelError."""
    groups = length_ordered(inputs.videos.rows, execution.batch_size)
    batches = inputs.videos.batches(groups, execution.device)
    return _embed(_Batches(type(model).__name__, "videos", groups, batches), model.embed_videos, done)


def embed_paragraphs(model: VideoTextEncoder, inputs: Inputs, execution: Execution, done: Done) -> np.ndarray:
    """Returns (n_paragraphs, d) float32 in the order of the inputs. Raises: ModelError."""
    lengths = np.array([sum(map(len, paragraph)) for paragraph in inputs.paragraphs], dtype=np.int64)
    groups = length_ordered(lengths, execution.batch_size)
    texts = ([inputs.paragraphs[i] for i in group] for group in groups)
    return _embed(_Batches(type(model).__name__, "paragraphs", groups, texts), model.embed_paragraphs, done)


@dataclass(frozen=True)
class _Batches:
    """Batches of one side of the inputs; `groups` holds the places that the rows of each batch belong to."""

    model: str
    side: str
    groups: list[list[int]]
    batches: Iterable[Any]


def _embed(work: _Batches, embed: Callable[[Any], Tensor], progress: Callable[[int], None]) -> np.ndarray:
    """Returns (n, d) float32: what `embed` answers to each batch, put back by place."""
    import torch

    total, done = sum(map(len, work.groups)), 0
    out: np.ndarray | None = None
    for group, batch in zip(work.groups, work.batches, strict=True):
        with torch.no_grad():
            answer = embed(batch)
        if not isinstance(answer, torch.Tensor) or answer.dtype == torch.bfloat16:
            what = str(answer.dtype) if isinstance(answer, torch.Tensor) else type(answer).__name__
            raise ModelError(f"model {work.model!r} returned {work.side} as {what}; expected a float32 tensor.")
        rows = answer.detach().cpu().numpy()
        check_rows(work.model, work.side, len(group), rows)
        if out is None:
            out = np.empty((total, rows.shape[1]), dtype=np.float32)
        if rows.shape[1] != out.shape[1]:
            raise ModelError(
                f"model {work.model!r} returned {work.side} of {rows.shape[1]} dimensions after {out.shape[1]} in an "
                "earlier batch. Fix the model's embed method: its output size must not depend on the batch."
            )
        out[group] = rows
        done += len(group)
        progress(done)
    return out if out is not None else np.empty((0, 0), dtype=np.float32)
