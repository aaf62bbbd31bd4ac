"""A process that decodes: `python -m bench.video.worker MEMORY` answers requests on its standard input, one a line.

It may take no more than MEMORY bytes, leaves Ctrl-C to the process that started it, and ends when that one does.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from bench.errors import BenchError, out_of_memory
from bench.video.decoded import FrameRequest, Taking
from bench.video.messages import head_of, send
from bench.video.sampler import Sampler
from bench.video.video_file import Recounted, VideoFile

Opening = Callable[[Path, str], Any]
"""Opens a file with a backend, as `VideoFile` does."""


def serve(memory: int, opening: Opening = VideoFile) -> None:
    """Answers requests until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit(memory)
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    send(pipe, {"ready": True})
    while True:
        _answer(json.loads(asked.get()), pipe, opening)


def _listen(asked: queue.SimpleQueue[str]) -> None:
    """Hands requests on, and ends the process with its input: whoever asked is gone, whatever is being decoded."""
    for line in sys.stdin:
        asked.put(line)
    os._exit(0)


def _limit(memory: int) -> None:
    try:
        import resource
    except ImportError:  # not a POSIX system: only the time is limited
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = memory if most == resource.RLIM_INFINITY else min(memory, most)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(asked: dict[str, Any], pipe: BinaryIO, opening: Opening) -> None:
    path = Path(os.fsdecode(bytes.fromhex(asked["path"])))
    spans = tuple(None if span is None else (span[0], span[1]) for span in asked["spans"])
    request = FrameRequest(path, Sampler.parse(asked["sampler"]), spans, asked["backend"])
    try:
        video = opening(path, request.backend)
        for _ in range(2):
            try:
                taking = Taking(video, request)
                send(pipe, {"head": head_of(taking)})
                for frame in taking:
                    send(pipe, {"frame": frame.shape[:2]}, frame)
            except Recounted:
                continue
            send(pipe, {"sha256": taking.sha256})
            return
        send(pipe, {"error": f"{path} is counted otherwise each time.", "kind": "InvalidData"})
    except BenchError as error:
        send(pipe, {"error": str(error), "kind": type(error).__name__})
    except Exception as error:
        if not out_of_memory(error):
            raise
        send(pipe, {"memory": str(error)})


if __name__ == "__main__":
    serve(int(sys.argv[1]))
