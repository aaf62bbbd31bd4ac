"""One side of a test set turned into vectors by a model, batch by batch, every answer checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import ModelError
from bench.execution import Execution, length_ordered
from bench.inputs import Inputs, Ragged
from bench.models import (
    ClipTextEncoder,
    FlatTextEncoder,
    VideoClassifier,
    VideoEncoder,
    VideoTextEncoder,
    ZeroShotClassifier,
)
from bench.predictions.checks import check_rows

if TYPE_CHECKING:
    from torch import Tensor

Done = Callable[[int], None]
"""Told after each batch how many items are embedded."""


def embed_videos(model: VideoEncoder, inputs: Inputs, execution: Execution, done: Done) -> np.ndarray:
    """Returns (n_videos, d) float32 in the order of the inputs. Raises: ModelError."""
    return _embed(_video_batches(model, "videos", inputs, execution), model.embed_videos, done)


def embed_flat_videos(model: FlatTextEncoder, inputs: Inputs, execution: Execution, done: Done) -> np.ndarray:
    """Returns (n_videos, d) float32 in the order of the inputs. Raises: ModelError."""
    return _embed(_video_batches(model, "flat videos", inputs, execution), model.embed_flat_videos, done)


def classify(model: VideoClassifier, inputs: Inputs, execution: Execution, done: Done) -> np.ndarray:
    """Returns (n_videos, classes) float32 in the order of the inputs. Raises: ModelError."""
    return _embed(_video_batches(model, "class scores", inputs, execution), model.classify, done)


def choose(
    model: ZeroShotClassifier, inputs: Inputs, options: Sequence[str], execution: Execution, done: Done
) -> np.ndarray:
    """Returns (n_videos, options) float32 in the order of the inputs. Raises: ModelError."""
    work = _video_batches(model, "class scores", inputs, execution)
    return _embed(work, lambda batch: model.choose(batch, options), done)


def embed_paragraphs(model: VideoTextEncoder, inputs: Inputs, execution: Execution, done: Done) -> np.ndarray:
    """Returns (n_paragraphs, d) float32 in the order of the inputs. Raises: ModelError."""
    return _embed(_text_batches(model, "paragraphs", inputs, execution), model.embed_paragraphs, done)


def embed_flat_paragraphs(model: FlatTextEncoder, inputs: Inputs, execution: Execution, done: Done) -> np.ndarray:
    """Returns (n_paragraphs, d) float32 in the order of the inputs. Raises: ModelError."""
    return _embed(_text_batches(model, "flat paragraphs", inputs, execution), model.embed_flat_paragraphs, done)


@dataclass(frozen=True)
class _Batches:
    """Batches of one side of the inputs; `groups` holds the places that the rows of each batch belong to in `ids`."""

    model: str
    side: str
    ids: Sequence[str]
    groups: list[list[int]]
    batches: Iterable[Any]


def _video_batches(model: Any, side: str, inputs: Inputs, execution: Execution) -> _Batches:
    groups = length_ordered(inputs.videos.rows, execution.batch_size)
    batches = inputs.videos.batches(groups, execution.device)
    return _Batches(type(model).__name__, side, inputs.videos.ids, groups, batches)


def _text_batches(model: Any, side: str, inputs: Inputs, execution: Execution) -> _Batches:
    lengths = np.array([sum(map(len, paragraph)) for paragraph in inputs.paragraphs], dtype=np.int64)
    groups = length_ordered(lengths, execution.batch_size)
    texts = ([inputs.paragraphs[i] for i in group] for group in groups)
    return _Batches(type(model).__name__, side, inputs.paragraph_ids, groups, texts)


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
        check_rows(work.model, work.side, [work.ids[i] for i in group], rows)
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


@dataclass(frozen=True)
class EmbeddedParts:
    """The vectors of the clips of each video, or of the sentences of each paragraph.

    Attributes:
        values: (sum of counts, d) float32, one video or paragraph after the other.
        counts: (n,) int64, how many each has.
    """

    values: np.ndarray
    counts: np.ndarray

    def at(self, places: np.ndarray) -> EmbeddedParts:
        """Returns the parts of the videos or paragraphs at `places` (k,) int64, in that order."""
        starts, counts = (np.cumsum(self.counts) - self.counts)[places], self.counts[places]
        rows = np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
        return EmbeddedParts(self.values[rows], counts)


def embed_clips(model: ClipTextEncoder, inputs: Inputs, execution: Execution, done: Done) -> EmbeddedParts:
    """Returns the clips of all videos in the order of the inputs. Raises: ModelError."""
    work = _video_batches(model, "clips", inputs, execution)
    return _embed_parts(work, model.embed_clips, lambda batch: batch.segments.lengths.cpu().numpy(), done)


def embed_sentences(model: ClipTextEncoder, inputs: Inputs, execution: Execution, done: Done) -> EmbeddedParts:
    """Returns the sentences of all paragraphs in the order of the inputs. Raises: ModelError."""
    work = _text_batches(model, "sentences", inputs, execution)
    return _embed_parts(work, model.embed_sentences, lambda batch: np.array([len(p) for p in batch]), done)


def _embed_parts(
    work: _Batches, embed: Callable[[Any], Ragged], expected: Callable[[Any], np.ndarray], progress: Done
) -> EmbeddedParts:
    """Returns what `embed` answers to each batch, put back by place; `expected` says how many parts each item has."""
    import torch

    rows: list[np.ndarray] = []
    counts: list[np.ndarray] = []
    done = 0
    for group, batch in zip(work.groups, work.batches, strict=True):
        with torch.no_grad():
            answer = embed(batch)
        wanted = expected(batch).astype(np.int64)
        if not isinstance(answer, Ragged) or answer.values.dtype == torch.bfloat16:
            what = str(answer.values.dtype) if isinstance(answer, Ragged) else type(answer).__name__
            raise ModelError(f"model {work.model!r} returned {work.side} as {what}; expected float32 in a Ragged.")
        if not np.array_equal(answer.lengths.cpu().numpy(), wanted):
            raise ModelError(
                f"model {work.model!r} returned other numbers of {work.side} than there are; expected one vector for "
                f"each of the {int(wanted.sum())} {work.side} of a batch. Fix the model's embed method."
            )
        vectors = answer.values.detach().cpu().numpy()
        check_rows(work.model, work.side, np.repeat([work.ids[i] for i in group], wanted).tolist(), vectors)
        rows.append(vectors)
        counts.append(wanted)
        done += len(group)
        progress(done)
    places = np.argsort(np.concatenate([np.array(group, dtype=np.int64) for group in work.groups]))
    return EmbeddedParts(np.concatenate(rows), np.concatenate(counts)).at(places)
