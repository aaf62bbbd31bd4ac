"""Scores of all pairs from a model that compares videos and paragraphs pair by pair: tile by tile, resumable.

Both sides are cut into groups, longest first, and each group is encoded once. Every pair of groups is a tile; a
finished tile is written at once, so a run that was killed computes only what is missing, with equal scores. The first
tile that is computed tells how long the others will take.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import ModelError
from bench.execution import Execution, length_ordered
from bench.files import digest, read_tensors, write_tensors
from bench.inputs import Inputs
from bench.models import VideoTextReranker, VideoTextScorer
from bench.predictions import PairScores
from bench.predictions.checks import check_scores
from bench.reading.numbers import number_of
from bench.tasks.task import Progress, Scratch


@dataclass(frozen=True)
class _Tile:
    """One group of paragraphs against one group of videos.

    Attributes:
        row, column: the numbers of the two groups.
        paragraphs, videos: places in the inputs.
        cost: work it makes, in characters to read for each video.
    """

    row: int
    column: int
    paragraphs: list[int]
    videos: list[int]
    cost: int

    @property
    def pairs(self) -> int:
        return len(self.paragraphs) * len(self.videos)


def score_pairs(
    model: VideoTextScorer,
    inputs: Inputs,
    execution: Execution,
    progress: Progress,
    scratch: Scratch | None = None,
    asked: np.ndarray | None = None,
) -> PairScores:
    """Returns the model's score of every paragraph with every video, in the order of the inputs.

    Args:
        asked: (paragraphs, videos) bool, the only pairs that are asked of a `VideoTextReranker`, the others are 0; None
            asks for all.

    Raises: ModelError as soon as a tile has the wrong shape or type, or is not finite; SaveError when a finished tile
    cannot be written.
    """
    characters = np.array([sum(map(len, paragraph)) for paragraph in inputs.paragraphs], dtype=np.int64)
    video_groups = length_ordered(inputs.videos.rows, execution.batch_size)
    paragraph_groups = length_ordered(characters, execution.batch_size)
    tiles = [
        _Tile(row, column, paragraphs, videos, int(characters[paragraphs].sum()) * len(videos))
        for row, paragraphs in enumerate(paragraph_groups)
        for column, videos in enumerate(video_groups)
        if asked is None or asked[np.ix_(paragraphs, videos)].any()
    ]
    kept = _KeptTiles(scratch, inputs, asked)
    scores = np.zeros((len(inputs.paragraphs), len(inputs.videos)), dtype=np.float32)
    missing, done = [], 0
    for tile in tiles:
        earlier = kept.read(tile)
        if earlier is None:
            missing.append(tile)
        else:
            scores[np.ix_(tile.paragraphs, tile.videos)] = earlier
            done += tile.pairs
    total = sum(tile.pairs for tile in tiles)
    if scratch and done:
        scratch.say(f"{done:,} of {number_of(total, 'pair')} were scored earlier and are kept")
    videos = _encoded_videos(model, inputs, execution, missing)
    clock = _Clock(scratch, missing)
    for tile, answer in _computed(model, inputs, missing, videos, asked):
        kept.write(tile, answer)
        clock.tick(tile)
        scores[np.ix_(tile.paragraphs, tile.videos)] = answer
        done += tile.pairs
        progress(done, total, {})
    return PairScores(inputs.videos.ids, inputs.paragraph_ids, scores)


def _encoded_videos(
    model: VideoTextScorer, inputs: Inputs, execution: Execution, tiles: Sequence[_Tile]
) -> dict[int, Any]:
    """Returns the encoded videos of each column that some tile needs."""
    import torch

    groups = {tile.column: tile.videos for tile in tiles}
    with torch.no_grad():
        batches = inputs.videos.batches(list(groups.values()), execution.device)
        return {column: model.encode_videos(batch) for column, batch in zip(groups, batches, strict=True)}


def _computed(
    model: VideoTextScorer,
    inputs: Inputs,
    tiles: Sequence[_Tile],
    videos: Mapping[int, Any],
    asked: np.ndarray | None,
) -> Iterator[tuple[_Tile, np.ndarray]]:
    """Yields each tile with its scores, (paragraphs, videos) float32; each group of paragraphs is encoded once."""
    import torch

    kind = type(model).__name__
    row, paragraphs = -1, None
    for tile in tiles:
        with torch.no_grad():
            if tile.row != row:
                row, paragraphs = tile.row, model.encode_paragraphs([inputs.paragraphs[i] for i in tile.paragraphs])
            if asked is not None and isinstance(model, VideoTextReranker):
                wanted = asked[np.ix_(tile.paragraphs, tile.videos)]
                answer = model.score_listed(videos[tile.column], paragraphs, wanted)
            else:
                answer = model.score(videos[tile.column], paragraphs)
        yield tile, _checked(kind, inputs, tile, answer)


def _checked(kind: str, inputs: Inputs, tile: _Tile, answer: Any) -> np.ndarray:
    import torch

    if not isinstance(answer, torch.Tensor) or answer.dtype == torch.bfloat16:
        what = str(answer.dtype) if isinstance(answer, torch.Tensor) else type(answer).__name__
        raise ModelError(f"model {kind!r} returned scores as {what}; expected a float32 tensor.")
    scores: np.ndarray = answer.detach().cpu().numpy()
    paragraphs = [inputs.paragraph_ids[i] for i in tile.paragraphs]
    check_scores(kind, paragraphs, [inputs.videos.ids[i] for i in tile.videos], scores)
    return scores


class _KeptTiles:
    """Finished tiles on disk; each says what it was computed from, and one of anything else is computed anew."""

    def __init__(self, scratch: Scratch | None, inputs: Inputs, asked: np.ndarray | None) -> None:
        self._scratch, self._inputs, self._asked = scratch, inputs, asked

    def read(self, tile: _Tile) -> np.ndarray | None:
        """Returns (paragraphs, videos) float32, or None when the tile is not there."""
        if self._scratch is None or not self._path(self._scratch, tile).exists():
            return None
        arrays, values = read_tensors(self._path(self._scratch, tile))
        return arrays["scores"] if values == self._origin(self._scratch, tile) else None

    def write(self, tile: _Tile, scores: np.ndarray) -> None:
        """Writes a finished tile, atomically."""
        if self._scratch is not None:
            write_tensors(self._path(self._scratch, tile), {"scores": scores}, self._origin(self._scratch, tile))

    def _path(self, scratch: Scratch, tile: _Tile) -> Path:
        return scratch.folder / f"tile-{tile.row}-{tile.column}.safetensors"

    def _origin(self, scratch: Scratch, tile: _Tile) -> dict[str, str]:
        videos = [self._inputs.videos.ids[i] for i in tile.videos]
        paragraphs = [self._inputs.paragraph_ids[i] for i in tile.paragraphs]
        origin = [scratch.key, videos, paragraphs]
        if self._asked is not None:
            origin.append(self._asked[np.ix_(tile.paragraphs, tile.videos)].tolist())
        return {"kind": "tile", "of": digest(origin)}


class _Clock:
    """Says after the first tile how long the others will take."""

    def __init__(self, scratch: Scratch | None, tiles: Sequence[_Tile]) -> None:
        self._say = scratch.say if scratch else None
        self._tiles = tiles
        self._start = time.perf_counter()

    def tick(self, tile: _Tile) -> None:
        """A tile is finished."""
        if self._say is None or tile is not self._tiles[0] or len(self._tiles) == 1:
            return
        first = time.perf_counter() - self._start
        rest = sum(other.cost for other in self._tiles[1:])
        pairs = sum(other.pairs for other in self._tiles)
        self._say(
            f"{number_of(pairs, 'pair')} to score, in {number_of(len(self._tiles), 'tile')}; the first took "
            f"{first:.1f} s, the others take about {duration(first * rest / max(1, tile.cost))}. Finished tiles are "
            "kept: stop and go on at any time."
        )


def duration(seconds: float) -> str:
    """Returns a time for people: `40 s`, `12 min` or `3.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
