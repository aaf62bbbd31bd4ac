"""Decoding in processes of its own, with limits on memory and time: a codec that fails or hangs costs one video."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np

from bench.errors import BenchError, InvalidData, MissingData, ToolError, UnknownName, UsageError
from bench.video.decoded import Decoded, FrameRequest
from bench.video.messages import Listener, Nonsense, Silence, decoded_of

T = TypeVar("T")
PROGRAM = ("-P", "-m", "bench.video.worker")
SMALLER = "Leave it out, or write it anew: ffmpeg -i FILE -vf scale=-2:480 -c:v libx264 -crf 12 NEW.mp4"
ERRORS = {error.__name__: error for error in (InvalidData, MissingData, UnknownName, UsageError)}


@dataclass(frozen=True)
class Limits:
    """What decoding one video may take.

    Attributes:
        memory: bytes of address space, of which Python and FFmpeg themselves take about half a gigabyte.
        seconds: of waiting for it.
    """

    memory: int = 4 << 30
    seconds: float = 600.0


LIMITS = Limits()
STARTING = 300.0
"""Seconds that a process may take to start, apart from those of the first video."""


def whole_frame(frame: np.ndarray) -> np.ndarray:
    """Keeps a frame as it is."""
    return frame


def decoded(
    request: FrameRequest, limits: Limits = LIMITS, keep: Callable[[np.ndarray], Any] = whole_frame
) -> Decoded[Any]:
    """Returns the frames that are asked for, decoded in a process of its own.

    Raises: InvalidData for a video that cannot be decoded within the limits, MissingData, UsageError.
    """
    with Workers(1, limits) as workers:
        (answer,) = workers.decode([request], keep)
    if isinstance(answer, BenchError):
        raise answer
    return answer


class Workers:
    """Processes that decode, started when they are needed and kept. Used as a context manager, which ends them."""

    def __init__(self, count: int, limits: Limits = LIMITS, program: Sequence[str] = PROGRAM) -> None:
        """Takes how many there are, and what each may take for one video."""
        self._processes = [_Process(limits, program) for _ in range(count)]
        self._free: SimpleQueue[_Process] = SimpleQueue()
        for process in self._processes:
            self._free.put(process)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="decoding")

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.end()
        self._threads.shutdown()

    def decode(
        self, requests: Iterable[FrameRequest], keep: Callable[[np.ndarray], Any] = whole_frame
    ) -> Iterator[Decoded[Any] | BenchError]:
        """Yields what came of each request, in their order: the frames, or the error that it cost.

        `keep` is called with every frame, (H, W, 3) uint8 RGB, as it arrives, in a thread of this process; what it
        returns is all that is kept. Two videos more than there are workers are under way, or done and not yet taken.
        """
        under_way: deque[Future[Decoded[Any] | BenchError]] = deque()
        for request in requests:
            under_way.append(self._threads.submit(self._one, request, keep))
            if len(under_way) > len(self._processes) + 1:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def _one(self, request: FrameRequest, keep: Callable[[np.ndarray], T]) -> Decoded[T] | BenchError:
        process = self._free.get()
        try:
            return process.ask(request, keep)
        except BenchError as error:
            return error
        finally:
            self._free.put(process)


class _Process:
    """One process that decodes, started anew after one that failed."""

    def __init__(self, limits: Limits, program: Sequence[str]) -> None:
        self._limits, self._program = limits, program
        self._running: subprocess.Popen[bytes] | None = None
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
        self._is_over = False

    def ask(self, request: FrameRequest, keep: Callable[[np.ndarray], T]) -> Decoded[T]:
        """Returns the answer to a request. Raises: what `Workers.decode` yields, and what `keep` does."""
        is_in_step = False  # else, what it would say next answers nobody
        try:
            answer = self._answer(self._running or self._start(), request, keep)
            is_in_step = True
        except Silence:
            raise InvalidData(
                f"{request.path}: decoding took more than {self._limits.seconds:g} s. {SMALLER}"
            ) from None
        except Nonsense:
            raise InvalidData(f"{request.path}: what its decoder gave is no video. Leave it out.") from None
        except (EOFError, BrokenPipeError):
            raise self._ended(request.path) from None
        finally:
            if not is_in_step:
                self._kill()
        if isinstance(answer, BenchError):
            raise answer
        return answer

    def _answer(
        self, running: subprocess.Popen[bytes], request: FrameRequest, keep: Callable[[np.ndarray], T]
    ) -> Decoded[T] | BenchError:
        if running.stdin is None or running.stdout is None:
            raise EOFError
        asked = {
            "path": os.fsencode(request.path.absolute()).hex(),
            "sampler": request.sampler.words,
            "spans": request.spans,
            "backend": request.backend,
        }
        running.stdin.write(json.dumps(asked).encode() + b"\n")
        running.stdin.flush()
        listener = Listener(running.stdout, self._limits.seconds)
        head: dict[str, Any] = {}
        frames: list[T] = []
        while True:
            message = listener.message()
            if "head" in message:
                head, frames = message["head"], []
            elif "frame" in message:
                frames.append(keep(self._frame(message["frame"], listener)))
            elif "sha256" in message:
                return decoded_of(head, frames, message["sha256"])
            elif "memory" in message:
                return InvalidData(f"{request.path}: decoding takes more than {self._memory}. {SMALLER}")
            elif isinstance(message.get("error"), str):
                return ERRORS.get(str(message.get("kind")), InvalidData)(message["error"][:2000])
            else:
                raise Nonsense

    def _frame(self, shape: Any, listener: Listener) -> np.ndarray:
        whole = (
            isinstance(shape, list) and len(shape) == 2 and all(isinstance(side, int) and side > 0 for side in shape)
        )
        if not whole or 3 * shape[0] * shape[1] > self._limits.memory:
            raise Nonsense
        return np.frombuffer(listener.read(3 * shape[0] * shape[1]), np.uint8).reshape(*shape, 3)

    @property
    def _memory(self) -> str:
        return f"{self._limits.memory / (1 << 30):g} GB of memory"

    def _start(self) -> subprocess.Popen[bytes]:
        if self._is_over:
            raise ToolError("the processes that decode were ended.")
        self._said.seek(0)
        self._said.truncate()
        package = str(Path(__file__).parents[2])
        known = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))}
        command = [sys.executable, *self._program, str(self._limits.memory)]
        pipe = subprocess.PIPE
        running = self._running = subprocess.Popen(command, env=known, stdin=pipe, stdout=pipe, stderr=self._said)
        if running.stdout is None or "ready" not in Listener(running.stdout, STARTING).message():
            raise Nonsense
        return running

    def _ended(self, path: Path) -> BenchError:
        """Returns the error for a process that ended by itself: by a signal, or by a mistake before it could answer."""
        try:
            code = self._running.wait(5.0) if self._running is not None else 0
        except subprocess.TimeoutExpired:  # it only fell silent for good
            return InvalidData(f"{path}: its decoder ended within an answer. Leave it out.")
        if code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
            return InvalidData(f"{path}: the process that decoded it {how}. Leave it out, or write it anew.")
        self._said.seek(0)
        lines = self._said.read()[-4000:].decode(errors="replace").strip().splitlines() or ["it said nothing"]
        return ToolError(f"{path}: the process that decodes ended with code {code} ({lines[-1][:200]}).")

    def _kill(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            running.kill()
            running.wait()
            for pipe in (running.stdin, running.stdout):
                if pipe is not None:
                    with suppress(OSError):  # what was not yet written to a process that is gone
                        pipe.close()

    def end(self) -> None:
        """Ends the process; there will be no other."""
        self._is_over = True
        self._kill()
        self._said.close()
