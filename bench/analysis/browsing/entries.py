"""The queries of one or more runs, each with what every run found for it, the worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.analysis.examples.lists import OpenedRun, Query
from bench.data.texts import texts_of
from bench.errors import UsageError
from bench.evidence.kinds.wording import direction_in_words
from bench.results import Result, parse_signature
from bench.tasks.retrieval import ParagraphVideoRetrieval

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

MOST_RUNS = 6
"""Runs side by side; more have no room on a page."""


@dataclass(frozen=True)
class Scene:
    """What is known of the video that a query belongs to.

    Attributes:
        video: its id.
        sentences: (n,) what people said of it.
        segments: (n,) start and end of what each sentence describes, seconds; () where nobody says.
        duration: seconds, or None where nobody says.
        classes: names of its classes.
    """

    video: str
    sentences: tuple[str, ...]
    segments: tuple[tuple[float, float], ...] = ()
    duration: float | None = None
    classes: tuple[str, ...] = ()

    @property
    def length(self) -> float:
        """Where its time line ends, seconds."""
        return max([self.duration or 0.0, *(end for _, end in self.segments)])

    def parts(self) -> list[tuple[str, float, float]]:
        """Returns each sentence with its start and end; [] without segments."""
        return [(said, *times) for said, times in zip(self.sentences, self.segments, strict=bool(self.segments))]


@dataclass(frozen=True)
class BrowsedQuery:
    """One query and what each run found for it.

    Attributes:
        name: what files call it.
        told: what it says; () without the dataset.
        scene: the video that it belongs to, or that asks; None for a query of no video, and without the dataset.
        answers: what was found by each run, in the order of the runs.
    """

    name: str
    told: tuple[str, ...]
    scene: Scene | None
    answers: tuple[Query, ...]

    @property
    def ranks(self) -> tuple[float, ...]:
        return tuple(answer.rank for answer in self.answers)

    @property
    def parts(self) -> list[tuple[str, float, float]]:
        """What it says, part by part in its video; [] where it does not say what was said of the video's segments."""
        return self.scene.parts() if self.scene and self.scene.sentences == self.told else []


@dataclass(frozen=True)
class BrowsedDirection:
    """All queries of one kind.

    Attributes:
        key: names its files.
        title: its heading.
        size: how many items each query is compared with.
        entries: the queries, worst of the first run first.
        videos: the video of each item that is ranked, where it belongs to one, by what files call them.
    """

    key: str
    title: str
    size: int
    entries: tuple[BrowsedQuery, ...]
    videos: Mapping[str, str]


@dataclass(frozen=True)
class Browsed:
    """What is shown of some runs: their records, and the queries that all of them were asked."""

    results: tuple[Result, ...]
    sections: tuple[BrowsedDirection, ...]


def check_alike(results: Sequence[Result]) -> None:
    """Raises UsageError when runs were asked on different test sets, or are too many."""
    if len(results) > MOST_RUNS:
        raise UsageError(f"{len(results)} runs: pages have room for {MOST_RUNS} side by side. Name fewer.")
    pools = [parse_signature(result.signature).get("pool", "") for result in results]
    for result, pool in zip(results, pools, strict=True):
        if pool != pools[0]:
            raise UsageError(
                f"{result.run} was asked on another test set ({pool}) than {results[0].run} ({pools[0]}). Browse runs "
                "on one test set, or each of them alone."
            )


def entries_of(runs: Sequence[OpenedRun], task: ParagraphVideoRetrieval | None, dataset: Dataset | None) -> Browsed:
    """Returns all queries of runs of retrieval that were asked the same (`check_alike`).

    Args:
        task, dataset: of the first run; None where the dataset is not at hand.
    """
    first = runs[0]
    by_text, by_video = _scenes(dataset, task, first.result.limit) if dataset and task else ({}, {})
    text = parse_signature(first.result.signature).get("text", "")
    sections = tuple(
        _section(runs, way, direction_in_words(way, text), scenes)
        for way, scenes in (("t2v", (by_text, by_video)), ("v2t", (by_video, by_text)))
    )
    return Browsed(tuple(run.result for run in runs), sections)


def _section(
    runs: Sequence[OpenedRun], way: str, title: str, scenes: tuple[Mapping[str, Scene], Mapping[str, Scene]]
) -> BrowsedDirection:
    """Returns all queries of a direction; `scenes` are those of its queries and of its items."""
    asking, ranked = scenes
    entries = []
    for answers in zip(*(run.queries(way) for run in runs), strict=True):
        query = answers[0]
        entries.append(BrowsedQuery(query.name, query.told, asking.get(query.name), answers))
    entries.sort(key=lambda entry: -entry.ranks[0])  # stable: equal ranks stay in the order drawn from their ids
    videos = {name: scene.video for name, scene in ranked.items()}
    return BrowsedDirection(way, title, runs[0].evidence.n_items[way], tuple(entries), videos)


def _scenes(
    dataset: Dataset, task: ParagraphVideoRetrieval, limit: int | None
) -> tuple[dict[str, Scene], dict[str, Scene]]:
    """Returns the video of each text that has one, and each video, by what files call them."""
    columns, classes = dataset.columns(task.split), _classes(dataset, task.split)
    videos = [_scene(columns, place, classes) for place in range(len(columns["video_id"]))]
    texts = texts_of(dataset, task.split, dataset.evaluated(task.split, limit), task.view)
    by_text = {text.name: videos[text.video] for text in texts if text.video is not None}
    return by_text, {scene.video: scene for scene in videos}


def _classes(dataset: Dataset, split: str) -> dict[str, tuple[str, ...]]:
    """Returns the names of the classes of each video of a split, or of the split that classes are tested on."""
    named = dataset.columns(split)
    if "labels" not in named and dataset.class_splits:
        named = dataset.columns(dataset.class_splits[1])
    if "labels" not in named:
        return {}
    names, told = dataset.class_names(), zip(named["video_id"], named["labels"], strict=True)
    return {video: tuple(names[label] for label in labels) for video, labels in told}


def _scene(columns: Mapping[str, list[Any]], place: int, classes: Mapping[str, tuple[str, ...]]) -> Scene:
    video, sentences = columns["video_id"][place], tuple(columns["sentences"][place])
    segments = tuple((start, end) for start, end in columns["timestamps"][place])
    return Scene(
        video=video,
        sentences=sentences,
        segments=segments if len(segments) == len(sentences) else (),
        duration=columns["duration"][place],
        classes=classes.get(video, ()),
    )
