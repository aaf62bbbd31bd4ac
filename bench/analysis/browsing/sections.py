"""What every kind of browsed pages has: sections, each a list that is filtered and pages that are read one by one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from bench.results import Result

ON_A_PAGE = 100
"""Queries or videos on a page that is read."""


@dataclass(frozen=True)
class ListedLine:
    """One line of a list: what is searched, filtered and ordered.

    Attributes:
        name: what it is called.
        texts: what it says: one text for all runs, or one for each.
        values: its rank or score in each run.
        page: the number of the page that it is read on, from 1.
        beside: a further text that is searched.
        classes: names of the classes of its video, the main one first.
        taken: for each run the wrong class that came first; None where a right one did.
    """

    name: str
    texts: tuple[str, ...]
    values: tuple[float, ...]
    page: int
    beside: str = ""
    classes: tuple[str, ...] = ()
    taken: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class BrowsedSection(ABC):
    """One list of everything that runs were asked in one way.

    Attributes:
        key: names its files.
        title: its heading.
    """

    noun: ClassVar[str]
    """What a line is."""
    value: ClassVar[str]
    """What its values are."""
    higher: ClassVar[bool] = False
    """Whether more of it is better."""
    text: ClassVar[str] = "text"
    """What its words are counted in."""
    counts: ClassVar[str] = "Right answer among the first"
    """What is counted of it."""
    template: ClassVar[str]
    """What its pages are made with."""

    key: str
    title: str

    @abstractmethod
    def lines(self) -> list[ListedLine]:
        """Returns a line for each thing in the list, in the order of the pages: the worst of the first run first."""

    @abstractmethod
    def parts(self) -> list[tuple[Any, ...]]:
        """Returns what stands on each page."""

    @abstractmethod
    def span(self, part: Sequence[Any]) -> str:
        """Returns in words which ranks or scores a page holds."""

    @abstractmethod
    def told(self) -> str:
        """Returns in words what each line is compared with."""

    @abstractmethod
    def shown_videos(self) -> list[str]:
        """Returns the ids of all videos that are shown, as far as they are known."""

    def video_of(self, item: str) -> str:
        """Returns the id of the video of an item that was found, "" where none is known."""
        return ""

    def class_names(self) -> tuple[str, ...]:
        """Returns the names of the classes that can be chosen."""
        return tuple(sorted({name for line in self.lines() for name in line.classes}))


@dataclass(frozen=True)
class RankedSection(BrowsedSection):
    """A list of what has a rank in every run.

    Attributes:
        entries: the worst of the first run first; each has `ranks`, one for each run.
    """

    value: ClassVar[str] = "rank"

    entries: tuple[Any, ...]

    def parts(self) -> list[tuple[Any, ...]]:
        return in_pages(self.entries)

    def span(self, part: Sequence[Any]) -> str:
        return f"ranks {part[0].ranks[0]:,.0f} to {part[-1].ranks[0]:,.0f}"


@dataclass(frozen=True)
class Browsed:
    """What is shown of some runs: their records, and all that they were asked."""

    results: tuple[Result, ...]
    sections: tuple[BrowsedSection, ...]

    def videos(self) -> list[str]:
        """Returns the ids of all videos that are shown, each once."""
        return list(dict.fromkeys(video for section in self.sections for video in section.shown_videos()))


Entry = TypeVar("Entry")


def in_pages(entries: Sequence[Entry]) -> list[tuple[Entry, ...]]:
    """Returns entries in parts of `ON_A_PAGE`."""
    return [tuple(entries[i : i + ON_A_PAGE]) for i in range(0, len(entries), ON_A_PAGE)]
