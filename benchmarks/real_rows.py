"""The rows on real data, by one command: settings are chosen on validation videos, then rows are run for the test.

    python benchmarks/real_rows.py DATA                       # whatever is not done yet; every cell is a `bench run`
    python benchmarks/real_rows.py DATA --only vidvrd --only ridge
    python benchmarks/real_rows.py DATA --declare             # bench.yaml alone: then `bench run …` in its folder
    python benchmarks/real_rows.py DATA --write docs/real-data.md

One budget for all that is trained: four candidates, one seed, on the validation videos; the best is run on the test
videos with the row's seeds. No figure of a test chooses anything. The last form puts every candidate with its
validation figure into a document, between two marks. Needs `pip install 'vtbench[encoders]' ./examples/conse`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from real_sets import CAPTIONED, PROBED, declare, keep

import bench
from bench.files import slug
from bench.results import Result

BEGIN, END = "<!-- tried -->\n", "<!-- /tried -->\n"
Settings = Mapping[str, object]


@dataclass(frozen=True)
class Row:
    """A model on a task.

    Attributes:
        dataset, task: `vidvrd` and `retrieval`; the task may have parameters behind a colon.
        model: its name.
        fixed: settings that all candidates share.
        candidates: settings to choose among on the validation videos; none where there is nothing to choose.
        seeds: of the runs on the test videos.
    """

    dataset: str
    task: str
    model: str
    fixed: Settings = field(default_factory=dict)
    candidates: Sequence[Settings] = ()
    seeds: tuple[int, ...] = (0, 1, 2)

    @property
    def name(self) -> str:
        """What `--only` looks into: task, model, and the text encoder."""
        text = f"+{self.fixed['text']}" if "text" in self.fixed else ""
        return f"{self.dataset}-{self.task} {self.model}{text}"


def grid(**choices: Sequence[object]) -> list[dict[str, object]]:
    """Returns every combination of the choices, the last running fastest."""
    found: list[dict[str, object]] = [{}]
    for name, values in choices.items():
        found = [{**one, name: value} for one in found for value in values]
    return found


def schedules(lrs: Sequence[float], epochs: Sequence[int]) -> list[Settings]:
    """Returns learning rates by epochs; the rate drops after three quarters of them."""
    return [{"lr": lr, "epochs": count, "lr_drop": count * 3 // 4} for lr in lrs for count in epochs]


PENALTIES = [{"penalties": text} for text in ("0.01", "0.1", "1", "10")]
POOLED = [{"candidates": text} for text in ("0.001/0.1/128", "0.003/0.1/128", "0.003/0.2/128", "0.01/0.2/128")]
FROZEN = {"text": "minilm"}
WORDS = {"word_dim": 100}


def retrieval(dataset: str, epochs: tuple[int, int]) -> list[Row]:
    """Returns the rows of a captioned set, the cheap ones first; of `epochs` one is chosen."""
    steps, fixed = schedules((1e-3, 3e-3), epochs), {"epochs": 30, "lr_drop": 22}
    head = {"frames": "mean", "size": 128, **fixed, **FROZEN}
    rows = [
        ("random", {}, ()),
        ("count-only", {}, ()),
        ("ridge", FROZEN, PENALTIES),
        ("ridge", WORDS, PENALTIES),
        ("mean-pool", WORDS | fixed, POOLED),
        ("mean-pool", FROZEN | fixed, POOLED),
        ("frozen-head", head, grid(lr=(1e-3, 3e-3), temperature=(0.05, 0.1))),
        ("fse", {"hidden": 128, **WORDS}, steps),
        ("fse", {"hidden": 128, **FROZEN}, steps),
        ("hse", {"hidden": 128, **WORDS}, steps),
        ("hse", {"hidden": 128, **FROZEN}, steps),
    ]
    slow = [("s2vt", {"hidden": 128, "frame_dim": 128, **WORDS}, steps), ("dense", {"hidden": 128, **WORDS}, steps)]
    return [Row(dataset, "retrieval", *row) for row in rows] + [Row(dataset, "retrieval", *row, (0,)) for row in slow]


def study() -> list[Row]:
    """Returns all rows in the order in which they are run."""
    msrvtt, vidvrd, flickr = (one.name for one in CAPTIONED)
    speak, steps = {"hidden": 128, "word_dim": 100, "batch": 16}, schedules((1e-3, 3e-3), (40, 100))
    return [
        Row(PROBED, "linear-probe", "features"),
        Row(PROBED, "linear-probe:shots=4", "features"),
        Row(PROBED, "linear-probe", "tsn", {}, schedules((1e-2, 3e-2), (40, 80))),
        Row(PROBED, "linear-probe", "fv-vae", {"reduced": 64, "latent": 8}, schedules((3e-3, 1e-2), (15, 30))),
        Row(flickr, "retrieval", "conse", seeds=(0,)),  # draws nothing
        *retrieval(vidvrd, (15, 40)),
        *retrieval(flickr, (4, 10)),
        *retrieval(msrvtt, (8, 20)),
        Row(msrvtt, "captioning", "most-frequent-caption"),
        Row(msrvtt, "captioning", "nearest-caption"),
        Row(msrvtt, "captioning", "s2vt", {**speak, "frame_dim": 128}, steps, (0,)),
        Row(msrvtt, "captioning", "dense", speak, steps, (0,)),
    ]


def merit(result: Result) -> float:
    """Returns what candidates are compared by: the mean of text to video R@1, R@5 and R@10, CIDEr, or top1."""
    recalls = [m.value for m in result.measurements if re.fullmatch(r"t2v/(any-hit )?R@(1|5|10)", m.name)]
    return sum(recalls) / len(recalls) if recalls else result[result.primary].value


def choose(row: Row, work: Path) -> tuple[Settings, list[float]]:
    """Returns the best candidate, and what each has on the validation videos; finished runs are not made again."""
    dataset, task = f"{row.dataset}-val", f"{row.dataset}-val-{row.task}"
    results = [
        bench.run(row.model, task, settings={**row.fixed, **candidate}, device="cpu", config=work / "bench.yaml")
        for candidate in row.candidates
    ]
    if any(result.data.label != dataset for result in results):
        raise AssertionError("a candidate was tried on other videos than those for validation")
    merits = [merit(result) for result in results]
    return row.candidates[max(range(len(merits)), key=merits.__getitem__)], merits


def run(row: Row, chosen: Settings, work: Path) -> None:
    """Runs a row on the test videos, as anyone would; its records carry this command."""
    command = ["run", "-m", row.model, "-t", f"{row.dataset}-{row.task}", "--device", "cpu"]
    for name, value in {**row.fixed, **chosen}.items():
        command += ["--set", f"{name}={value}"]
    command += ["--seeds", ",".join(map(str, row.seeds))] if len(row.seeds) > 1 else []
    subprocess.run([sys.executable, "-m", "bench", *command], cwd=work, check=True)


def done(row: Row, tried: Path) -> dict[str, Any]:
    """Returns what is kept of a row that was run: its settings, the validation figures, and CPU seconds; {} if none."""
    path = tried / f"{slug(row.name)}.json"
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    asked = {"fixed": dict(row.fixed), "candidates": list(map(dict, row.candidates)), "seeds": list(row.seeds)}
    return kept if {name: kept.get(name) for name in asked} == asked else {}


def cpu_seconds() -> float:
    """Returns what this process and those it waited for have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def table(rows: Sequence[Row], tried: Path) -> str:
    """Returns every setting tried with its validation figure, as Markdown; the chosen one in bold."""
    lines = [
        "| row | all candidates share | candidates, each with its validation figure | CPU s |\n|---|---|---|---:|\n"
    ]
    total = 0.0
    for row in rows:
        kept = done(row, tried)
        if not kept:
            continue
        total += kept["cpu"]
        told = [f"{told_of(one)}: {value:.1f}" for one, value in zip(row.candidates, kept["merits"], strict=True)]
        best = row.candidates.index(kept["chosen"]) if told else -1
        told = [f"**{words}**" if i == best else words for i, words in enumerate(told)]
        name = row.name.replace(f" {row.model}", f" `{row.model}`")
        lines.append(f"| {name} | {told_of(row.fixed) or '–'} | {'<br>'.join(told) or '–'} | {kept['cpu']:.0f} |\n")
    return "".join([*lines, f"\n{total / 60:.0f} CPU minutes in all, one thread.\n"])


def told_of(settings: Settings) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder that holds the sets")
    parser.add_argument("--work", type=Path, default=Path("real-rows"), help="where declarations and runs are kept")
    parser.add_argument("--only", action="append", default=[], help="rows whose name holds all of these; repeatable")
    parser.add_argument("--declare", action="store_true", help="write bench.yaml, and run nothing")
    parser.add_argument("--write", type=Path, help="put the table of what was tried into a document, and run nothing")
    chosen = parser.parse_args()
    declare(chosen.data, chosen.work)
    tried, rows = chosen.work / "tried", [row for row in study() if all(part in row.name for part in chosen.only)]
    if chosen.write:
        before, _, rest = chosen.write.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        chosen.write.write_text(before + BEGIN + table(rows, tried) + END + after, encoding="utf-8")
    for row in () if chosen.declare or chosen.write else rows:
        if done(row, tried):
            continue
        print(row.name, flush=True)
        start = cpu_seconds()
        best, merits = choose(row, chosen.work) if row.candidates else ({}, [])
        run(row, best, chosen.work)
        kept = {"fixed": row.fixed, "candidates": row.candidates, "seeds": row.seeds}
        kept |= {"chosen": best, "merits": merits, "cpu": cpu_seconds() - start}
        keep(tried / f"{slug(row.name)}.json", json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
