"""Frames become rows: prepared as they arrive, encoded in batches of a size that was measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import BenchError, ModelError, UsageError, out_of_memory
from bench.models import ClipEncoder, FrameEncoder
from bench.reading.numbers import number_of
from bench.video import Sampler

if TYPE_CHECKING:
    from torch import Tensor

    from bench.video import Decoded

SIZES = {"cpu": (1, 4, 16), "cuda": (16, 64, 256)}
"""Sizes of a batch that are tried. On a CPU a batch of 16 can cost twice what single ones do."""
GAIN = 0.95
"""A larger batch is taken when it needs less than this part of the time, so that noise alone does not choose."""
ENOUGH = 5.0
"""Seconds after which no larger batch is tried; the others are tried as long as each is the better one."""
REPEATS = 3
"""The quickest counts: the first also does what is done once, such as choosing a kernel."""


@contextmanager
def encoding_threads(count: int | None) -> Iterator[None]:
    """Lets PyTorch compute on `count` threads of this process, and restores what was; None leaves it alone."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Encoding:
    """An encoder as extraction uses it, for one sampler."""

    def __init__(self, name: str, encoder: Any, sampler: Sampler) -> None:
        """Raises: UsageError where the encoder cannot encode what the sampler takes."""
        self.name, self._encoder = name, encoder
        self.by_frame = isinstance(encoder, FrameEncoder) and not sampler.windows
        if not self.by_frame:
            _check_window(name, encoder, sampler)

    @property
    def dim(self) -> int:
        """Numbers of a row."""
        return int(self._encoder.dim)

    @property
    def preprocessing(self) -> str:
        """From frames to an input, in words."""
        return str(self._encoder.preprocessing)

    def keep(self, frame: np.ndarray) -> Any:
        """Returns what is kept of a frame (H, W, 3) as it arrives. Raises: ModelError."""
        return self._of_encoder(self._encoder.prepare, frame) if self.by_frame else frame

    def inputs(self, decoded: Decoded[Any]) -> list[Tensor]:
        """Returns one input for each row of a video, in order. Raises: ModelError."""
        if self.by_frame:
            return [decoded.frames[place] for row in decoded.rows for place in row.tolist()]
        windows = [window for row in decoded.rows for window in row.reshape(-1, self._encoder.window).tolist()]
        return [
            self._of_encoder(self._encoder.prepare_window, np.stack([decoded.frames[place] for place in window]))
            for window in windows
        ]

    def counts(self, decoded: Decoded[Any]) -> tuple[int, ...]:
        """Returns how many rows each span of a video gets."""
        return tuple(row.size if self.by_frame else row.size // self._encoder.window for row in decoded.rows)

    def rows(self, inputs: Sequence[Tensor]) -> np.ndarray:
        """Returns (n, dim) float32 of n inputs. Raises: ModelError where the encoder fails, or returns no such rows."""
        import torch

        def embed() -> np.ndarray:
            with torch.inference_mode():
                stacked = torch.stack(list(inputs))
                vectors = self._encoder.embed_frames(stacked) if self.by_frame else self._encoder.embed_windows(stacked)
                return np.asarray(vectors.float().cpu().numpy())

        vectors: np.ndarray = self._of_encoder(embed)
        if vectors.shape != (len(inputs), self.dim) or not np.isfinite(vectors).all():
            raise ModelError(
                f"encoder {self.name!r} made an array {vectors.shape} of {number_of(len(inputs), 'input')}, expected "
                f"{(len(inputs), self.dim)}, finite. Mend the encoder."
            )
        return vectors

    def _of_encoder(self, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except BenchError:
            raise
        except Exception as error:  # whatever the code of a plugin raises
            reason = f"{type(error).__name__}: {' '.join(str(error).split()) or 'no message'}"
            remedy = " Use smaller batches: --batch-size 1." if out_of_memory(error) else ""
            raise ModelError(f"encoder {self.name!r} failed on frames: {reason}.{remedy}") from error

    def best_batch(self, device: str) -> int:
        """Returns the size of a batch that encodes fastest, measured on noise. Raises: ModelError."""
        frame = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
        if self.by_frame:
            one = self.keep(frame)
        else:
            one = self._of_encoder(self._encoder.prepare_window, np.stack([frame] * self._encoder.window))
        sizes = SIZES[device.partition(":")[0]]
        best, least, began = sizes[0], float("inf"), time.perf_counter()
        clock = time.process_time if device == "cpu" else time.perf_counter  # what others compute does not count
        for size in sizes:
            batch = [one] * size
            seconds = min(self._seconds(batch, clock) for _ in range(REPEATS)) / size
            if seconds > GAIN * least or time.perf_counter() - began > ENOUGH:
                break
            best, least = size, seconds
        return best

    def _seconds(self, batch: Sequence[Tensor], clock: Callable[[], float]) -> float:
        began = clock()
        self.rows(batch)
        return clock() - began


def _check_window(name: str, encoder: Any, sampler: Sampler) -> None:
    if not isinstance(encoder, ClipEncoder):
        kind = "looks at single frames" if isinstance(encoder, FrameEncoder) else "encodes no frames"
        raise UsageError(f"encoder {name!r} {kind}: {sampler.words!r} is nothing for it. Write sampler: frames=16.")
    given = sampler.windows or sampler.frames
    if given != encoder.window:
        raise UsageError(
            f"encoder {name!r} looks at windows of {encoder.window} frames, and {sampler.words!r} takes others. Write "
            f"sampler: windows={encoder.window} stride {max(1, encoder.window // 2)}."
        )
