"""Times ways to 16 frames of a video: bench's reader, a bare seek for each, and all frames in order.

The clips are made here: two minutes at 25 frames a second of moving noise, with the distances of key frames that are
named; and a short one. One thread, files in the page cache. Every way gives the same pixels, which is asserted.

    python benchmarks/decoding.py
    python benchmarks/decoding.py --height 720 --groups 25 250 3000
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from timing import arguments, measure, start, table

from bench.video import Sampler, VideoFile

BARE, OURS, ORDER = "a bare seek for each frame", "bench", "all frames in order"


def make(path: Path, seconds: int, height: int, group: int) -> Path:
    """Writes noise that moves over itself, with a key frame every `group` frames."""
    rng, width = np.random.default_rng(0), height * 16 // 9 // 2 * 2
    noise = rng.integers(0, 256, (height // 8 + 40, width // 8 + 40, 3), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    with av.open(str(path), "w") as container:
        options = {"preset": "veryfast", "g": str(group), "keyint_min": str(group), "sc_threshold": "0", "crf": "28"}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * 25):
            x, y = number * 2 % 320, number % 320
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(noise[y : y + height, x : x + width]), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def by_bench(path: Path, sampler: Sampler) -> list[np.ndarray]:
    """Opens, counts and reads as extraction does."""
    video = VideoFile(path)
    return [frame for _, frame in video.take(lambda index: sampler.places(index).flat)]


def by_bare_seeks(path: Path, times: list[int]) -> list[np.ndarray]:
    """Seeks to each time and decodes until it comes, without looking whether it was the right one."""
    frames = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        for time in times:
            container.seek(time, stream=stream)
            frame = next(frame for frame in container.decode(stream) if frame.pts >= time)
            frames.append(frame.reformat(format="rgb24", threads=1).to_ndarray())
    return frames


def in_order(path: Path, times: list[int]) -> list[np.ndarray]:
    """Decodes up to the last time, and turns the frames that are wanted into pixels."""
    wanted, frames = set(times), []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        for frame in container.decode(stream):
            if frame.pts in wanted:
                frames.append(frame.reformat(format="rgb24", threads=1).to_ndarray())
            if frame.pts >= times[-1]:
                break
    return frames


def ways(path: Path, sampler: Sampler) -> dict[str, Callable[[], list[np.ndarray]]]:
    """Returns the ways to the frames of one file, by name."""
    index = VideoFile(path).index
    times = index.times[sampler.places(index)].tolist()
    return {
        BARE: lambda: by_bare_seeks(path, times),
        OURS: lambda: by_bench(path, sampler),
        ORDER: lambda: in_order(path, times),
    }


def main() -> None:
    """Prints a table: CPU seconds of each way, by clip."""
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="length of the long clips")
    parser.add_argument("--height", type=int, default=240)
    parser.add_argument(
        "--groups", type=int, nargs="+", default=[25, 250, 3000], help="frames from key frame to key frame"
    )
    parser.add_argument("--sampler", default="linspace-round frames=16")
    chosen = parser.parse_args()
    print(start(chosen))
    sampler = Sampler.parse(chosen.sampler)
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-decoding-") as folder:
        clips = [(f"{chosen.seconds} s, group {group}", chosen.seconds, group) for group in chosen.groups]
        for name, seconds, group in [*clips, ("8 s, group 250", 8, 250)]:
            path = make(Path(folder) / "clip.mp4", seconds, chosen.height, group)
            runs = ways(path, sampler)
            first, *others = [run() for run in runs.values()]
            assert all(np.array_equal(a, b) for other in others for a, b in zip(first, other, strict=True))
            taken = measure(runs, chosen.repeats, "cpu")
            order = taken[ORDER].cpu
            rows.append(
                (
                    f"{name} ({path.stat().st_size / 1e6:.1f} MB)",
                    *(taken[way].cpu for way in runs),
                    taken[OURS].cpu / order,
                )
            )
    print("\n" + table([(f"{chosen.sampler}, {chosen.height} lines", BARE, OURS, ORDER, f"{OURS} / in order"), *rows]))


if __name__ == "__main__":
    main()
