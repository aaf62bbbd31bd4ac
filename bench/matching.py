"""Which videos are right for which texts: one record of relevance for annotations, files and plugins alike.

The qrels of information retrieval. One text for each video and one video for each text is its simplest form, which is
ranked by a path of its own (`Matching.one_to_one`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Unit = Literal["paragraph", "caption", "captions-together", "query"]
"""What one text is: all sentences of a video, which describe its segments one after the other; one caption of a video;
all captions of a video, which describe the same, read as one text; or a query that was written for no video."""


TEXTS: Mapping[str, Unit] = {"each": "caption", "together": "captions-together"}
"""What users write for captions that describe whole videos, and the unit it means."""


@dataclass(frozen=True)
class Matching:
    """Queries, items, and the right pairs of them, by place.

    Attributes:
        texts: (M,) ids of the texts.
        videos: (N,) ids of the videos.
        right: (M,) places in `videos` that are right for each text, rising; () for a text that no video answers.
        grades: (M,) what each of them is worth, above 0, beside it in order; None where all are worth the same.
        owners: (M,) the place of the video that each text describes, right or not; None where it describes none.
    """

    texts: tuple[str, ...]
    videos: tuple[str, ...]
    right: tuple[tuple[int, ...], ...]
    grades: tuple[tuple[float, ...], ...] | None = None
    owners: tuple[int | None, ...] | None = None

    @classmethod
    def of(
        cls,
        right: Mapping[str, Iterable[str]],
        videos: Iterable[str] = (),
        owners: Mapping[str, str] | None = None,
    ) -> Matching:
        """Returns the matching of texts with the ids of their videos.

        Args:
            right: the videos of each text; a mapping of them says what each is worth.
            videos: may name some that no text asks for.
            owners: the video that a text describes, for those that describe one.
        """
        wanted: dict[str, Mapping[str, float]] = {
            text: relevant if isinstance(relevant, Mapping) else dict.fromkeys(relevant, 1.0)
            for text, relevant in right.items()
        }
        gallery = tuple(dict.fromkeys([*videos, *(video for relevant in wanted.values() for video in relevant)]))
        place = {video: i for i, video in enumerate(gallery)}
        ordered = [sorted(relevant, key=place.__getitem__) for relevant in wanted.values()]
        graded = len({grade for relevant in wanted.values() for grade in relevant.values()}) > 1
        worth = zip(wanted.values(), ordered, strict=True)
        return cls(
            texts=tuple(wanted),
            videos=gallery,
            right=tuple(tuple(place[video] for video in relevant) for relevant in ordered),
            grades=tuple(tuple(relevant[video] for video in order) for relevant, order in worth) if graded else None,
            owners=None if owners is None else tuple(place.get(owners.get(text, "")) for text in wanted),
        )

    def among(self, kept: Collection[str]) -> Matching:
        """Returns the matching of some videos and of the texts that go with one of them, or with none at all."""
        worth = self.grades or tuple((1.0,) * len(places) for places in self.right)
        right: dict[str, dict[str, float]] = {}
        owners: dict[str, str] = {}
        for text, places, grades, own in zip(self.texts, self.right, worth, self.asked_for, strict=True):
            if own is None or self.videos[own] in kept:
                answers = zip(places, grades, strict=True)
                right[text] = {self.videos[place]: grade for place, grade in answers if self.videos[place] in kept}
                owners |= {} if own is None else {text: self.videos[own]}
        return Matching.of(right, [video for video in self.videos if video in kept], owners if self.owners else None)

    @cached_property
    def one_to_one(self) -> bool:
        """Whether every text has one video and every video one text."""
        owners = [places[0] for places in self.right if len(places) == 1]
        return len(owners) == len(self.texts) == len(self.videos) == len(set(owners))

    @cached_property
    def one_video_each(self) -> bool:
        """Whether every text has one right video, such as captions of several a video."""
        return all(len(places) == 1 for places in self.right)

    @cached_property
    def by_text(self) -> dict[str, tuple[str, ...]]:
        """The right videos of each text."""
        answers = zip(self.texts, self.right, strict=True)
        return {text: tuple(self.videos[place] for place in places) for text, places in answers}

    @cached_property
    def asked_for(self) -> tuple[int | None, ...]:
        """The place of the video that each text is resampled with: the one it describes, else the first of its best."""
        owners = self.owners or (None,) * len(self.texts)
        grades = self.grades or tuple((1.0,) * len(places) for places in self.right)
        answers = zip(owners, self.right, grades, strict=True)
        return tuple(
            places[worth.index(max(worth))] if own is None and places else own for own, places, worth in answers
        )

    @cached_property
    def own(self) -> dict[str, str]:
        """The first right video of each text that has one: its own, where it has one only."""
        return {text: videos[0] for text, videos in self.by_text.items() if videos}
