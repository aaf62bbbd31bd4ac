"""The promises of what is no model: a light import, tasks that score, datasets that open."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.catalogue.lookup import Session
from bench.evidence.verification import verify
from bench.execution import Execution
from bench.inputs import Paragraph, VideoBatch, View
from bench.models import VideoTextEncoder
from bench.plugins.discovery import Plugin
from bench.predictions import load_predictions
from bench.reading.numbers import number_of
from bench.results import parse_signature, signature
from bench.tasks.task import Task
from bench.testing.report import CheckFailed, NotApplicable

HEAVY = ("torch", "datasets", "pandas", "sklearn", "scipy", "matplotlib", "transformers", "tensorflow", "jax", "cv2")
FEW = 20
"""Videos that a task is tried on."""

IMPORT = """
import json, sys, time
import bench.api, bench.data_api, bench.task_api
before, clock = set(sys.modules), time.perf_counter()
__import__(sys.argv[1])
seconds = time.perf_counter() - clock
print(json.dumps([seconds, sorted({name.partition('.')[0] for name in set(sys.modules) - before})]))
"""


def check_import(plugin: Plugin) -> str:
    """The module of the entry point names heavy things and imports none: it is imported by every command."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, plugin.module],
        capture_output=True, text=True, check=False, env=_environment(),
    )  # fmt: skip
    if done.returncode:
        raise CheckFailed(f"{plugin.module} cannot be imported by itself: {done.stderr.strip().splitlines()[-1]}")
    seconds, loaded = json.loads(done.stdout.strip().splitlines()[-1])
    heavy = [name for name in HEAVY if name in loaded]
    if heavy:
        raise CheckFailed(f"{plugin.module} imports {', '.join(heavy)}: name the code in `loader` instead")
    return f"{seconds * 1000:.0f} ms beyond bench itself, nothing heavy"


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


class Counting:
    """A model that knows only how many segments and sentences there are; what tasks are tried with."""

    def embed_videos(self, videos: VideoBatch) -> Any:
        """Returns (B, 2)."""
        import torch

        return torch.stack([videos.segments.beside(videos.segments.lengths.float()), videos.durations], dim=1)

    def embed_paragraphs(self, paragraphs: list[Paragraph]) -> Any:
        """Returns (n, 2)."""
        import torch

        return torch.tensor([[float(len(p)), float(sum(map(len, p)))] for p in paragraphs])


def check_task(session: Session, task: Task) -> str:
    """Its protocol is written down; it predicts, saves and scores; the evidence gives the numbers."""
    if not (inspect.getdoc(inspect.getmodule(type(task))) or "").strip():
        raise CheckFailed("the module of its class has no docstring: that is where the protocol is written")
    parse_signature(signature(task.name.partition(":")[0], task.version, dict(task.rules())))
    if VideoTextEncoder not in task.accepts:
        raise NotApplicable(f"tried with embeddings only; it accepts {', '.join(k.__name__ for k in task.accepts)}")
    dataset = session.dataset(task.dataset)
    inputs = dataset.inputs(task.split, task.view, max_rows=80, limit=FEW, support=task.support)
    predictions = task.predict(Counting(), inputs, Execution(), lambda done, total, values: None)
    predictions.check("counting")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"predictions{predictions.suffix}"
        predictions.save(path)
        again = load_predictions(path, task.answers, predictions.kind)
    annotations = task.annotations(dataset, FEW)
    first, second = (task.score(said, annotations, "cpu") for said in (predictions, again))
    if first.measurements != second.measurements:
        raise CheckFailed("scoring saved predictions gives other numbers than scoring them at once")
    first.ranked_by(task.primary)
    verify(first.evidence, first.measurements)
    measured, videos = number_of(len(first.measurements), "measurement"), number_of(len(annotations), "video")
    return f"{measured} of {videos}, {task.primary} first"


def check_dataset(session: Session, reader: str) -> str:
    """Every dataset that bench.yaml declares with this reader opens, and its videos can be read."""
    declared = [name for name, one in session.catalogue.datasets.items() if one.reader == reader]
    if not declared:
        raise NotApplicable(f"bench.yaml declares no dataset with `reader: {reader}`")
    told = []
    for name in declared:
        dataset = session.dataset(name)
        counts = {split: dataset.count(split) for split in dataset.tables}
        test = dataset.declaration.test
        if test not in counts:
            raise CheckFailed(f"dataset {name!r} has no split {test!r}, which its tasks evaluate on")
        dataset.check_disjoint(test)
        missing = [v for split in counts for v in dataset.features.missing(dataset.columns(split)["video_id"])]
        if missing:
            raise CheckFailed(
                f"dataset {name!r}: {number_of(len(missing), 'video has', 'videos have')} no features, such as "
                f"{missing[0]!r}"
            )
        seen = dataset.inputs(
            test, View(dataset.declaration.segments, text=dataset.declaration.text), max_rows=80, limit=FEW
        )
        seen.videos.batch(range(len(seen.videos)))
        told.append(f"{name}: " + ", ".join(f"{split} {count}" for split, count in counts.items()))
    return "; ".join(told)
