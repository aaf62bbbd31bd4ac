"""A paper's figure of video embeddings, from finished runs: picture, coordinates, and a record of how it was made."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from bench.data.video_classes import ClassedVideo, classed_videos
from bench.errors import ModelError
from bench.evidence.verified import stored
from bench.files import slug, spreadsheet_cell, write_atomically
from bench.leaderboard.pages.wording import KIND_WARNINGS
from bench.papers.figures import measured_on
from bench.papers.pictures import EmbeddingPicture, Panel, png, svg
from bench.papers.projection import SEED, Agreement, Projection, agreement, most_frequent, project
from bench.papers.tables import PaperFigure, PaperRow
from bench.predictions import Embeddings, load_predictions
from bench.reading.numbers import number_of
from bench.results import Evidence, Result
from bench.runs.plan import RunPlan

SCHEMA = "bench-tsne/1"


@dataclass(frozen=True)
class EmbeddedVideos:
    """What one run says of the videos that have a class.

    Attributes:
        evidence: of its record.
        videos: (n,) their own ids and classes.
        rows: (n, d) float32.
    """

    row: PaperRow
    result: Result
    evidence: Evidence
    videos: tuple[ClassedVideo, ...]
    rows: np.ndarray

    @property
    def title(self) -> str:
        return f"{self.row.title}, seed {self.result.seed}"


@dataclass(frozen=True)
class DrawnRun:
    """The videos of one run that are drawn, and where.

    Attributes:
        classes: (n,) int64, numbers of the figure's classes.
    """

    run: EmbeddedVideos
    classes: np.ndarray
    projection: Projection
    agreement: Agreement


@dataclass(frozen=True)
class DrawnFigure:
    """A figure with everything that was drawn; `classes` holds the number of videos by class, most frequent first."""

    paper: str
    figure: PaperFigure
    classes: Mapping[str, int]
    runs: tuple[DrawnRun, ...]

    def measured_on(self) -> tuple[str, str]:
        """Returns the kind of data, and one line on what its runs were measured on."""
        return measured_on([(drawn.run.result, drawn.run.evidence) for drawn in self.runs])


def embedded_videos(plan: RunPlan, row: PaperRow) -> EmbeddedVideos:
    """Returns the embeddings of a finished run.

    Raises: ModelError for a run that scores pairs; MissingData without classes; InvalidData, VerificationError.
    """
    result = stored(plan.folder).result
    evidence = Evidence.load(plan.folder / result.evidence.file)
    classed = classed_videos(plan.cell.dataset, result.task.split)
    said = result.predictions
    predictions = load_predictions(plan.folder / said.file, plan.cell.task.answers, said.kind) if said else None
    if not isinstance(predictions, Embeddings):
        raise ModelError(
            f"{plan.folder} holds no embeddings of videos, so there is nothing to draw. Use score=embedding."
        )
    places = [i for i, name in enumerate(predictions.video_ids) if name in classed]
    return EmbeddedVideos(
        row, result, evidence, tuple(classed[predictions.video_ids[i]] for i in places), predictions.videos[places]
    )


def draw(paper: str, figure: PaperFigure, runs: Sequence[EmbeddedVideos]) -> DrawnFigure:
    """Returns the figure of some runs: the most frequent classes of all of them. Raises: InvalidData, ModelError."""
    names = most_frequent((video.class_name for run in runs for video in run.videos), figure.classes)
    class_sizes = Counter(video.class_name for video in {video for run in runs for video in run.videos})
    drawn = tuple(_drawn(run, names) for run in runs)
    return DrawnFigure(paper, figure, {name: class_sizes[name] for name in names}, drawn)


def _drawn(run: EmbeddedVideos, names: Sequence[str]) -> DrawnRun:
    number = {name: i for i, name in enumerate(names)}
    places = [i for i, video in enumerate(run.videos) if video.class_name in number]
    kept = EmbeddedVideos(run.row, run.result, run.evidence, tuple(run.videos[i] for i in places), run.rows[places])
    classes = np.array([number[video.class_name] for video in kept.videos], dtype=np.int64)
    projection = project(kept.rows)
    return DrawnRun(kept, classes, projection, agreement(kept.rows, projection.coordinates, classes))


def picture(drawn: DrawnFigure) -> EmbeddingPicture:
    """Returns what is drawn: a panel for each run, the runs of one seed beside one another."""
    results = [drawn_run.run.result for drawn_run in drawn.runs]
    kind, circumstances = drawn.measured_on()
    notes = (
        circumstances,
        f"The {len(drawn.classes)} most frequent classes: {number_of(sum(drawn.classes.values()), 'video')}. t-SNE of "
        f"embeddings scaled to length 1: PCA start, perplexity {drawn.runs[0].projection.perplexity:.3g}, seed {SEED}.",
        "Near points are similar; sizes of groups, and distances between them, mean nothing.",
        *_sentences(KIND_WARNINGS.get(kind, "")),
    )
    ordered = sorted(drawn.runs, key=lambda drawn_run: drawn_run.run.result.seed)
    return EmbeddingPicture(
        title=drawn.figure.title,
        class_names=tuple(drawn.classes),
        panels=tuple(_panel(drawn_run) for drawn_run in ordered),
        columns=len(drawn.runs) // len({result.seed for result in results}) or 1,
        notes=notes,
    )


def _sentences(text: str) -> list[str]:
    return [part.rstrip(".") + "." for part in text.split(". ") if part]


def _panel(drawn: DrawnRun) -> Panel:
    shares = drawn.agreement
    return Panel(
        title=drawn.run.title,
        subtitle=f"of the {shares.neighbours} nearest videos {shares.in_space:.0f} % are of the same class "
        f"(chance {shares.chance:.0f} %)",
        coordinates=drawn.projection.coordinates,
        classes=drawn.classes,
        video_ids=tuple(video.video_id for video in drawn.run.videos),
    )


def as_csv(drawn: DrawnFigure) -> str:
    """Returns the coordinates, a line for each video of each run."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["system", "run", "seed", "video_id", "class", "x", "y"])
    for drawn_run in drawn.runs:
        result = drawn_run.run.result
        for video, (x, y) in zip(drawn_run.run.videos, drawn_run.projection.coordinates.tolist(), strict=True):
            place = f"{x:.6g}", f"{y:.6g}"
            row = [drawn_run.run.row.title, result.run, str(result.seed), video.video_id, video.class_name]
            table.writerow([*map(spreadsheet_cell, row), *place])
    return out.getvalue()


def as_json(drawn: DrawnFigure) -> dict[str, Any]:
    """Returns all that is needed to make the figure again, and what holds in the space it was made from."""
    kind, circumstances = drawn.measured_on()
    return {
        "schema": SCHEMA,
        "paper": drawn.paper,
        "title": drawn.figure.title,
        "data": kind,
        "circumstances": circumstances,
        "classes": [{"name": name, "videos": count} for name, count in drawn.classes.items()],
        "method": {
            "name": "t-SNE",
            "implementation": f"scikit-learn {version('scikit-learn')}",
            "embeddings": "scaled to length 1",
            "start": "principal components",
            "learning_rate": "auto",
            "seed": SEED,
        },
        "panels": [_as_json(drawn_run) for drawn_run in drawn.runs],
    }


def _as_json(drawn: DrawnRun) -> dict[str, Any]:
    result = drawn.run.result
    return {
        "system": drawn.run.row.title,
        "model": result.model.name,
        "settings": result.model.settings,
        "run": result.run,
        "seed": result.seed,
        "signature": result.signature,
        "predictions": result.predictions.sha256 if result.predictions else None,
        "videos": len(drawn.classes),
        "videos_of_run": result.data.n_evaluated,
        "perplexity": drawn.projection.perplexity,
        "divergence": drawn.projection.divergence,
        "iterations": drawn.projection.iterations,
        "same_class": asdict(drawn.agreement),
    }


def write_figure(drawn: DrawnFigure, folder: Path, name: str) -> list[Path]:
    """Writes `<name>.svg`, `.png`, `.csv` and `.json` into `folder`; returns their paths. Raises: SaveError."""
    shown = picture(drawn)
    record = json.dumps(as_json(drawn), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    contents = {"svg": svg(shown), "png": png(shown), "csv": as_csv(drawn).encode(), "json": record.encode()}
    paths = []
    for kind, content in contents.items():
        paths.append(folder / f"{slug(name)}.{kind}")
        write_atomically(paths[-1], content)
    return paths
