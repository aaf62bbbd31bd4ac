"""Everything that a GPU is for, in one run of under five minutes: training, encoding, captions, ranking, bf16.

    python benchmarks/gpu.py --device cuda:0
    git worktree add --detach ../before 7a2fe55
    python benchmarks/gpu.py --device cuda:0 --before ../before
    python benchmarks/gpu.py --device pretended --tiny

It prints a table for benchmarks/README.md, with the device and the date. Steps are those of the training loop at the
paper's size, batches and all; "idle" is the share of its time in which the GPU ran nothing, as torch's profiler saw it.
Each checkout runs in a process of its own, one after the other. On the device that tests pretend no time means
anything; there, and only there, waits and launches are counted, and what it computes is put beside what a GPU does.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from batch import DIM, Batch, synthetic_batch
from gpu_fits import TINY, Work, fit
from plain import plain_loss
from ranking import embeddings
from timing import measure, synchronize
from torch import Tensor
from train_step import networks, step

import bench
from bench.api import Execution
from bench.metrics.ranking import rank_pairs
from bench_s2vt.model import S2VTCaptioning, S2VTShape
from bench_torch.search import Beam
from bench_torch.training import autocast

HERE = Path(__file__).resolve().parents[1]
PRETENDED = "pretended"
WARM = 3
"""Steps of a fit that are not counted: the first ones choose kernels and fill pools of memory."""
LOSS, SAMPLE = "loss of the last step", "on the sample"
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def training_figures(batch: Batch, work: Work, device: str, counted: Any) -> Iterator[tuple[str, float]]:
    """Yields steps a second of both networks, and what they cost the device."""
    for name, precision in (("hse", "fp32"), ("hse", "bf16"), ("fse", "fp32"), ("fse", "bf16")):
        network = networks(work.hidden, batch.words)[name].to(device)
        execution = Execution(device=device, precision=precision)  # type: ignore[arg-type]
        reports: list[float] = []
        losses: list[float] = []
        asked: list[tuple[Counter[str], Counter[str]]] = []

        def told(loss: float, reports: Any = reports, losses: Any = losses, asked: Any = asked) -> None:
            losses.append(loss)
            reports.append(time.perf_counter())
            if counted is not None:
                asked.append((Counter(counted.waits), Counter(counted.launches)))
                counted.clear()

        if device != "cpu":
            torch.cuda.reset_peak_memory_stats(device)
        fit(network, batch, work, execution, told)
        what = f"{name} {precision}"
        yield f"{what}, steps a second", (len(reports) - 1 - WARM) / (reports[-1] - reports[WARM])
        yield f"{what}, {LOSS}", losses[-1]
        if device != "cpu" and counted is None:
            yield f"{what}, GB at most", torch.cuda.max_memory_allocated(device) / 1e9
            yield f"{what}, idle %", 100 * idle_share(lambda: fit(network, batch, work, execution, lambda _: None))  # noqa: B023
        for waits, launches in asked[WARM : WARM + 1]:
            yield f"{what}, waits a step", waits.total()
            yield f"{what}, launches a step", launches.total()


def idle_share(run: Callable[[], None]) -> float:
    """Returns the share of a run's time, from its first kernel to its last, in which no kernel ran."""
    activities = [torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        run()
        torch.cuda.synchronize()
    events = [event for event in profile.events() or [] if event.device_type == torch.autograd.DeviceType.CUDA]
    spans = sorted((event.time_range.start, event.time_range.end) for event in events)
    busy, reached = 0.0, spans[0][0]
    for begin, end in spans:
        busy += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return 1 - busy / (reached - spans[0][0])


def step_figures(batch: Batch, work: Work, device: str) -> Iterator[tuple[str, float]]:
    """Yields milliseconds of a step that reads what lies on the device, ours and that of padded `nn.GRU`."""
    videos, text = batch.videos.to(device), batch.text.to(device)
    for name, network in networks(work.hidden, batch.words).items():
        network.to(device)
        for precision, kind in TYPES.items():
            losses: dict[str, Callable[[], Tensor]] = {
                "ours": lambda network=network: network.loss(videos, text),  # type: ignore[misc]
                "padded nn.GRU": lambda network=network: plain_loss(network, videos, text),  # type: ignore[misc]
            }
            runs = {of: lambda loss=loss, n=network, k=kind: step(n, loss, k) for of, loss in losses.items()}  # type: ignore[misc]
            for of, seconds in measure(runs, work.repeats, device).items():
                yield f"{name} {precision}, ms a step, {of}", 1000 * seconds.wall


def other_figures(batch: Batch, work: Work, device: str) -> Iterator[tuple[str, float]]:
    """Yields videos encoded, segments described and pairs ranked a second, and the difference from the CPU."""
    network = networks(work.hidden, batch.words)["hse"]
    with torch.no_grad():
        here = network.embed_videos(batch.videos)
    network.to(device)
    videos = batch.videos.to(device)

    def encode(precision: str = "fp32") -> Tensor:
        with torch.no_grad(), autocast(Execution(device=device, precision=precision)):  # type: ignore[arg-type]
            return network.embed_videos(videos).float().cpu()

    for precision in TYPES:
        seconds = measure({"": lambda precision=precision: encode(precision)}, work.repeats, device)[""].wall  # type: ignore[misc]
        yield f"hse {precision}, videos encoded a second", len(videos) / seconds
    yield "hse fp32, greatest difference of an embedding from the CPU's", float((encode() - here).abs().max())
    teller = S2VTCaptioning(DIM, torch.randn(batch.words, 300), S2VTShape(500, work.hidden), aligned=True).to(device)

    def say() -> Tensor:
        with torch.no_grad():
            return teller.say(teller.watch(videos), Beam(5, 20)).cpu()

    yield "s2vt fp32, captions a second, beam 5", len(videos.clip_frames) / measure({"": say}, 1, device)[""].wall
    queries, items = (side.to(device) for side in embeddings(work.ranked, work.hidden, "cpu"))
    positives = torch.arange(work.ranked)
    taken = measure({"": lambda: rank_pairs(queries, items, positives)}, 1, device)[""].wall
    yield f"ranking {work.ranked:,} both ways, s", taken


def accuracy_figures(work: Work, device: str) -> Iterator[tuple[str, float]]:
    """Yields recalls of HSE on the generated sample, trained in both precisions."""
    for precision in TYPES:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
            result = bench.run(
                "hse",
                "anet-retrieval",
                settings={"epochs": work.epochs, "hidden": min(work.hidden, 128)},
                device=device,
                precision=precision,  # type: ignore[arg-type]
                limit=work.limit or None,
                output=folder,
            )
        for one in result.measurements:
            if one.name in ("t2v/R@1", "v2t/R@1"):
                yield f"hse {precision} {SAMPLE}, {one.name}", float(one.value)


def measured(work: Work, device: str) -> dict[str, float]:
    """Returns every figure by name; `pretended` is the device of `tests/pretend_device.py`."""
    pretending: AbstractContextManager[Any] = nullcontext()
    if device == PRETENDED:
        sys.path.insert(0, str(HERE / "tests"))
        import pretend_device

        pretending = pretend_device.pretending()
    on = "cuda:0" if device == PRETENDED else device
    with pretending as counted:
        torch.backends.cuda.matmul.allow_tf32 = False
        batch = synthetic_batch(work.videos)
        figures = dict(training_figures(batch, work, on, counted))
        for more in (step_figures(batch, work, on), other_figures(batch, work, on), accuracy_figures(work, on)):
            figures.update(more)
            synchronize(on)
    return figures


def of_checkout(checkout: Path, arguments: Sequence[str]) -> dict[str, float]:
    """Returns the figures of the code in a checkout, measured by this program in a process of its own."""
    path = os.pathsep.join(map(str, (checkout, checkout / "plugins", HERE / "benchmarks")))
    command = [sys.executable, str(Path(__file__).resolve()), "--figures", *arguments]
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, cwd=checkout, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def commit_of(checkout: Path) -> str:
    """Returns the short name of the commit that is checked out."""
    asked = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=False).stdout.strip() or "no commit"


def main() -> None:
    """Prints one Markdown table, or with `--figures` one line of JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", required=True, help="cuda:0, cpu, or pretended: the device of our tests, no GPU")
    parser.add_argument("--before", type=Path, help="a checkout of another commit to measure too")
    parser.add_argument("--tiny", action="store_true", help="next to no work, to see that all of it runs")
    parser.add_argument("--figures", action="store_true", help="print the figures of this checkout alone, as JSON")
    chosen = parser.parse_args()
    if chosen.figures:
        print(json.dumps(measured(TINY if chosen.tiny else Work(), chosen.device)))
        return
    tiny = ["--tiny"]
    checkouts = [HERE, *([chosen.before.resolve()] if chosen.before else [])]
    asked = ["--device", chosen.device, *(tiny if chosen.tiny else [])]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    cuda = chosen.device.startswith("cuda")
    name = torch.cuda.get_device_name(chosen.device) if cuda else f"{chosen.device}: not run on a GPU"
    print(f"{name}, torch {torch.__version__}, {today}{', tiny' if chosen.tiny else ''}\n")
    print(markdown({commit_of(checkout): of_checkout(checkout, asked) for checkout in checkouts}))
    if chosen.device == PRETENDED:
        return
    both = {
        device: of_checkout(HERE, ["--device", device, *tiny]) for device in dict.fromkeys((chosen.device, PRETENDED))
    }
    numbers = {
        device: {figure: number for figure, number in figures.items() if LOSS in figure or SAMPLE in figure}
        for device, figures in both.items()
    }
    print(
        f"\nWhat should be equal, of next to no work, here and on the device that tests pretend:\n\n{markdown(numbers)}"
    )


def markdown(columns: dict[str, dict[str, float]]) -> str:
    """Returns a table of figures, a column for each name."""
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for figure in dict.fromkeys(figure for column in columns.values() for figure in column):
        cells = (f"{column[figure]:.6g}" if figure in column else "" for column in columns.values())
        lines.append(f"| {figure} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
