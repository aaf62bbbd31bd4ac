"""Times `bench features extract` against its parts, each measured apart: the cheapest decoding, the cheapest encoding.

The parts are what nobody can do without: PyAV in this process, once in order and once by seeking, whichever is cheaper;
and the encoder over the same frames, prepared and encoded in batches of 1, 4 and 16, whichever is cheapest. CPU seconds
of this process and of those that it starts, one thread. Then the peak memory for many short clips beside that for a
tenth of them, with an encoder that costs nothing.

    python benchmarks/extraction.py --videos FOLDER --encoder efficientnet-lite0
    python benchmarks/extraction.py --clips 12 --encoder tiny --count 1000
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import av
import numpy as np
import torch
from tiny_encoder import offered

from bench.catalogue import config as configuration
from bench.catalogue.encoders import plan_encoder
from bench.catalogue.lookup import Session
from bench.data.features.packing import PackWatcher
from bench.data.video_folders import videos_in
from bench.execution import Execution
from bench.extraction import ExtractionChoices, extract

FRAMES = 16
CONFIG = "version: 1\nfeatures: {{frames: {{videos: '{}', encoder: {}, sampler: 'linspace-round frames={}'}}}}\n"


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        sys.path.insert(0, str(offered(folder / "site")))
        videos = options.videos or write_clips(folder / "clips", options.clips, seconds=10, size=(320, 240))
        report_speed(folder, videos, options.encoder)
        if options.count:
            report_memory(folder, options.count)


def report_speed(folder: Path, videos: Path, encoder: str) -> None:
    """Prints what extraction costs, and what its parts cost alone."""
    paths = list(videos_in(videos, "{id}.*").values())
    (folder / "bench.yaml").write_text(CONFIG.format(videos.resolve(), encoder, FRAMES))
    session = Session(configuration.load(folder / "bench.yaml"))
    network = plan_encoder(session.catalogue, encoder).open(Execution())
    places = [np.linspace(0, count_of(path) - 1, FRAMES).round().astype(int).tolist() for path in paths]
    decoding = {
        "in order": cpu_seconds(lambda: [list(in_order(*one)) for one in zip(paths, places, strict=True)]),
        "by seeking": cpu_seconds(lambda: [list(by_seeking(*one)) for one in zip(paths, places, strict=True)]),
    }
    frames = [list(in_order(*one)) for one in zip(paths, places, strict=True)]
    encoding = {f"batches of {size}": cpu_seconds(partial(encode, network, frames, size)) for size in (1, 4, 16)}
    whole = cpu_seconds(lambda: extract(session, "frames", ExtractionChoices(jobs=1), PackWatcher()))
    parts = min(decoding.values()) + min(encoding.values())
    print(f"{len(paths)} clips, {FRAMES} frames each, {encoder}, CPU seconds, 1 thread, torch {torch.__version__}\n")
    for name, seconds in {**decoding, **encoding}.items():
        print(f"  {name:14} {seconds:8.2f}")
    print(f"  cheapest of both, together {parts:8.2f}\n  bench features extract     {whole:8.2f}")
    print(f"\nratio {whole / parts:.3f}")


def cpu_seconds(call: Callable[[], object]) -> float:
    """Returns the CPU seconds of a call, of this process and of processes that it starts and waits for."""
    before = _used()
    call()
    return _used() - before


def _used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def count_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def in_order(path: Path, places: Sequence[int]) -> Iterator[np.ndarray]:
    """Yields frames by decoding everything up to the last."""
    wanted = set(places)
    with av.open(str(path)) as container:
        container.streams.video[0].thread_count = 1
        for place, frame in enumerate(container.decode(video=0)):
            if place in wanted:
                yield frame.to_ndarray(format="rgb24")
            if place == places[-1]:
                return


def by_seeking(path: Path, places: Sequence[int]) -> Iterator[np.ndarray]:
    """Yields frames by seeking to the key frame before each, at a constant rate."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        first = stream.start_time or 0
        step = 1 / (stream.average_rate * stream.time_base)
        for place in places:
            wanted = first + int(place * step)
            container.seek(wanted, stream=stream)
            last = None
            for frame in container.decode(stream):
                if last is not None and frame.pts is not None and frame.pts > wanted:
                    break
                last = frame
            if last is not None:
                yield last.to_ndarray(format="rgb24")


def encode(network: object, videos: Sequence[Sequence[np.ndarray]], size: int) -> None:
    """Prepares and encodes all frames in batches of `size`."""
    with torch.inference_mode():
        for frames in videos:
            for start in range(0, len(frames), size):
                inputs = torch.stack([network.prepare(frame) for frame in frames[start : start + size]])
                network.embed_frames(inputs)


def write_clips(folder: Path, count: int, seconds: float, size: tuple[int, int]) -> Path:
    """Writes clips of moving noise at 25 frames a second, key frames every 2 s."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        with av.open(str(folder / f"clip {number:05}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "g": "50"})
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            stream.codec_context.thread_count = 1
            noise = np.kron(rng.integers(0, 255, (size[1] // 8, size[0] // 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
            for frame in range(round(seconds * 25)):
                shown = np.ascontiguousarray(np.roll(noise, (frame, 2 * frame), axis=(0, 1)))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
            container.mux(stream.encode())
    return folder


def report_memory(folder: Path, count: int) -> None:
    """Prints the peak memory of extracting from `count` short clips, and from a tenth of them."""
    source = write_clips(folder / "short", 1, seconds=1, size=(64, 48)) / "clip 00000.mp4"
    peaks = []
    for number in (count // 10, count):
        place = folder / f"of {number}"
        (place / "clips").mkdir(parents=True)
        for i in range(number):
            shutil.copy(source, place / "clips" / f"{i:06}.mp4")
        (place / "bench.yaml").write_text(CONFIG.format("clips", "tiny", FRAMES))
        peaks.append(_peak(place, folder / "site"))
        print(f"peak memory of {number:,} short clips, the encoder costs nothing: {peaks[-1] / 1024:.0f} MB")
    print(f"ratio {peaks[1] / peaks[0]:.3f}")


def _peak(place: Path, site: Path) -> int:
    """Returns the peak in KiB of `bench features extract`, or of its decoder where that is larger."""
    known = os.pathsep.join([str(site), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "bench", "features", "extract", "frames", "--jobs", "1"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=place, env={**os.environ, "PYTHONPATH": known}, stdout=quiet, stderr=quiet)
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0
    return used.ru_maxrss


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, help="a folder of videos (default: clips are made)")
    parser.add_argument("--clips", type=int, default=24, help="clips that are made")
    parser.add_argument("--encoder", default="efficientnet-lite0")
    parser.add_argument("--count", type=int, default=10_000, help="short clips for the peak memory; 0 for none")
    return parser.parse_args()


if __name__ == "__main__":
    main()
