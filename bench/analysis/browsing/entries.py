"""The queries of one or more runs of retrieval, each with what every run found for it, the worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.analysis.browsing.scenes import Scene, scenes_of
from bench.analysis.browsing.sections import ON_A_PAGE, Browsed, ListedLine, RankedSection
from bench.analysis.examples.lists import OpenedRun, Query
from bench.data.texts import texts_of
from bench.evidence.kinds.wording import direction_in_words
from bench.results import parse_signature
from bench.tasks.retrieval import ParagraphVideoRetrieval

if TYPE_CHECKING:
    from bench.data.dataset import Dataset


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
    def parts(self) -> list[tuple[str, tuple[float, float]]]:
        """What it says, part by part in its video; [] where it does not say what was said of the video's segments."""
        return self.scene.parts() if self.scene and self.scene.sentences == self.told else []


@dataclass(frozen=True)
class BrowsedDirection(RankedSection):
    """All queries of one kind.

    Attributes:
        entries: the queries.
        size: how many items each query is compared with.
        videos_of_items: the video of each item that is ranked, where it belongs to one, by what files call them.
    """

    noun: ClassVar[str] = "query"
    template: ClassVar[str] = "browse_queries.html.j2"

    entries: tuple[BrowsedQuery, ...]
    size: int
    videos_of_items: Mapping[str, str]

    def lines(self) -> list[ListedLine]:
        return [
            ListedLine(
                name=entry.name,
                texts=(" ".join(entry.told),),
                values=entry.ranks,
                page=place // ON_A_PAGE + 1,
                classes=entry.scene.classes if entry.scene else (),
            )
            for place, entry in enumerate(self.entries)
        ]

    def told(self) -> str:
        return f"each among {self.size:,}"

    def shown_videos(self) -> list[str]:
        return [*(entry.scene.video for entry in self.entries if entry.scene), *self.videos_of_items.values()]

    def video_of(self, item: str) -> str:
        return self.videos_of_items.get(item, "")


def entries_of(runs: Sequence[OpenedRun], task: ParagraphVideoRetrieval | None, dataset: Dataset | None) -> Browsed:
    """Returns all queries of runs of retrieval that were asked the same.

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
    return BrowsedDirection(way, title, tuple(entries), runs[0].evidence.n_items[way], videos)


def _scenes(
    dataset: Dataset, task: ParagraphVideoRetrieval, limit: int | None
) -> tuple[dict[str, Scene], dict[str, Scene]]:
    """Returns the video of each text that has one, and each video, by what files call them."""
    videos = scenes_of(dataset, task.split)
    texts = texts_of(dataset, task.split, dataset.evaluated(task.split, limit), task.view)
    by_text = {text.name: videos[text.video] for text in texts if text.video is not None}
    return by_text, {scene.video: scene for scene in videos}
