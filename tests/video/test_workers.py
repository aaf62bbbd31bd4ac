"""A codec that crashes, hangs or takes all memory costs one video. None does here: a fake one does it by name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.errors import InvalidData, ToolError
from bench.video import Decoded, FrameRequest, Limits, Sampler, Workers

FAKE = (str(Path(__file__).with_name("fake_worker.py")),)
EVERY = Sampler.parse("windows=10 stride 10")


def asked(names: object) -> Iterator[FrameRequest]:
    """Yields a request for all frames of each fake video."""
    return (FrameRequest(Path("/nowhere") / name, EVERY) for name in names)


def answers(*names: str, workers: int = 2, **limits: float) -> list[object]:
    """Returns what came of each, in order."""
    with Workers(workers, Limits(**limits), FAKE) as pool:
        return list(pool.decode(asked(names)))


def is_whole(answer: object) -> bool:
    """Whether all ten frames came."""
    return isinstance(answer, Decoded) and [int(frame[0, 0, 0]) for frame in answer.frames] == list(range(10))


def test_frames_arrive_with_their_times_and_their_digest() -> None:
    (answer,) = answers("ok")
    assert is_whole(answer)
    assert answer.seconds.tolist() == pytest.approx([place / 10 for place in range(10)])
    assert (answer.total, answer.picture.codec, answer.rows[0].tolist()) == (10, "h264", [list(range(10))])
    assert len(answer.sha256) == 64


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("crash", "was ended by SIGSEGV"),
        ("damaged", "the h264 decoder failed"),
        ("hungry", "takes more than 4 GB of memory"),
        ("equal", "the h264 decoder gave 10 equal frames, though the file says that they differ"),
    ],
)
def test_a_failing_decoder_costs_one_video(name: str, said: str) -> None:
    first, failed, *others = answers("ok", name, "ok", "ok", "still")
    assert is_whole(first)
    assert isinstance(failed, InvalidData)
    assert said in str(failed)
    assert "\n" not in str(failed)
    assert all(is_whole(answer) for answer in others[:2])
    assert isinstance(others[2], Decoded)


def test_a_hanging_decoder_costs_the_time_it_may_take() -> None:
    failed, after = answers("hang", "ok", workers=1, seconds=8.0)
    assert isinstance(failed, InvalidData)
    assert "took more than 8 s" in str(failed)
    assert is_whole(after)


def test_a_decoder_that_ends_by_itself_says_why() -> None:
    failed, after = answers("leaves", "ok", workers=1)
    assert isinstance(failed, ToolError)
    assert "ended with code 3 (the reason)" in str(failed)
    assert is_whole(after)


def test_what_a_library_prints_is_no_answer() -> None:
    assert is_whole(answers("prints")[0])


def test_what_is_kept_of_each_frame_is_for_the_caller_to_say() -> None:
    with Workers(1, program=FAKE) as pool:
        (answer,) = pool.decode(asked(["ok"]), keep=lambda frame: int(frame.sum()))
    assert answer.frames == tuple(24 * place for place in range(10))


def test_a_mistake_of_the_caller_is_raised_and_no_later_answer_is_taken_for_another() -> None:
    def fails(frame: np.ndarray) -> int:
        if frame[0, 0, 0] == 5:
            raise RuntimeError("five")
        return 0

    with Workers(1, program=FAKE) as pool:
        with pytest.raises(RuntimeError, match="five"):
            list(pool.decode(asked(["ok"]), fails))
        assert is_whole(next(pool.decode(asked(["ok"]))))


READY = b'\0\0\0\x0f{"ready": true}'


@pytest.mark.parametrize(
    "said", [b"x" * 40, READY + b"x" * 40, READY + (99 << 20).to_bytes(4, "big"), READY + b"\0\0\0\2{}", b"\0\0\0\2[]"]
)
def test_nonsense_of_a_decoder_costs_one_video(said: bytes, tmp_path: Path) -> None:
    program = tmp_path / "nonsense.py"
    program.write_text(f"import os, time\nos.write(1, {said!r})\ntime.sleep(60)\n")
    with Workers(1, Limits(seconds=20), (str(program),)) as pool:
        (answer,) = pool.decode(asked(["ok"]))
    assert isinstance(answer, InvalidData)
    assert "what its decoder gave is no video" in str(answer)


def test_a_decoder_that_stops_within_an_answer_costs_one_video(tmp_path: Path) -> None:
    program = tmp_path / "stops.py"
    program.write_text(f"import os, time\nos.write(1, {READY!r})\nos.read(0, 1)\nos.close(1)\ntime.sleep(60)\n")
    with Workers(1, program=(str(program),)) as pool:
        (answer,) = pool.decode(asked(["ok"]))
    assert isinstance(answer, InvalidData)
    assert "its decoder ended within an answer" in str(answer)


PARENT = """
import pathlib, signal, sys
from bench.video import Limits, FrameRequest, Sampler, Workers
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what runs in its background ignore SIGINT
pool = Workers(2, program=(sys.argv[1],))
with pool:
    requests = [FrameRequest(pathlib.Path("/nowhere/hang"), Sampler.parse("windows=10 stride 10"))] * 4
    try:
        for answer in pool.decode(requests):
            print(answer)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def state(process: int) -> tuple[str, int]:
    """Returns the state of a process, and its parent; X for one that is gone."""
    try:
        letter, parent = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return "X", 0
    return letter, int(parent)


def children(parent: int) -> list[int]:
    """Returns the processes that a process started."""
    processes = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [process for process in processes if state(process)[1] == parent]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_processes_that_decode_end_with_the_one_that_asked(sent: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *FAKE], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    started = []
    while len(started) < 2:
        assert parent.poll() is None
        time.sleep(0.05)
        started = children(parent.pid)
    time.sleep(0.5)
    os.kill(parent.pid, sent)
    printed, complained = parent.communicate(timeout=60)
    assert printed == (b"interrupted\n" if sent == signal.SIGINT else b"")
    assert complained == b""
    deadline = time.monotonic() + 60
    while any(state(child)[0] not in "ZX" for child in started):
        assert time.monotonic() < deadline, "a process that decodes outlived the one that asked"
        time.sleep(0.05)
