"""A split beside the named set that bench.yaml says it is: which ids differ, and by how much the test set shrank."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.data.features.stored import named_alike
from bench.data.sets.named import NamedSet, caption_lines, digest, named_set
from bench.errors import InvalidData
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.data.dataset import Dataset


@dataclass(frozen=True)
class SetComparison:
    """A split and the set that it is said to be.

    Attributes:
        set: the name of the set.
        by: `list` where the set's ids are known, `number` where only their number is.
        videos: how many videos the set has.
        there: how many of the split's videos are in the set; by number, how many the split has.
        usable: how many of those have features; None where the features could not be looked through.
        absent: ids of the set that the split lacks; empty by number.
        foreign: ids of the split that the set lacks; empty by number.
        captions: how many captions the split has, where each is a query of the set; else None.
        expected_captions: how many the set has, where we know it.
        same_captions: whether they are the official ones, by digest; None where that cannot be told.
    """

    set: str
    by: str
    videos: int
    there: int
    usable: int | None
    absent: tuple[str, ...]
    foreign: tuple[str, ...]
    captions: int | None
    expected_captions: int | None
    same_captions: bool | None

    def fact(self) -> str:
        """Returns what was found, in a line without the split's name."""
        left = self.there if self.usable is None else self.usable
        usable = "" if self.usable is None else f", {self.usable:,} of them with features"
        shrank = f"; the set shrank by {100 * (1 - left / self.videos):.1f} %" if left < self.videos else ""
        if self.by == "number":
            return (
                f"{self.set}, of which we know the number only: {number_of(self.there, 'video')} for {self.videos:,}"
                f"{usable}{shrank}"
            )
        others = f"; {number_of(len(self.foreign), 'video is', 'videos are')} not in it" if self.foreign else ""
        told = {True: "; captions as in the official files", False: "; other captions", None: ""}[self.same_captions]
        return (
            f"{self.set}, by its list: {self.there:,} of {self.videos:,} videos are there{usable}{shrank}{others}{told}"
        )

    def differences(self) -> list[str]:
        """Returns what keeps the split from being the set; what lacks features is not among it."""
        differences = [f"{len(self.absent):,} of its {self.videos:,} videos are absent"] if self.absent else []
        differences += [f"{number_of(len(self.foreign), 'video is', 'videos are')} not in it"] if self.foreign else []
        if self.by == "number" and self.there != self.videos:
            differences.append(f"it has {self.videos:,} videos, the files {self.there:,}")
        if self.captions is not None and self.expected_captions not in (None, self.captions):
            differences.append(f"it has {number_of(self.expected_captions, 'caption')}, the files {self.captions:,}")
        elif self.same_captions is False:
            differences.append("its captions are others, by their digest")
        if alike := named_alike(self.absent, self.foreign):
            pairs = ", ".join(f"{official} is {own[:60]!r}" for official, own in alike[:3])
            differences.append(
                f"{len(alike):,} seem to be there under another name, and would have to be renamed ({pairs})"
            )
        return differences


def split_of(dataset: Dataset, named: NamedSet) -> str:
    """Returns the split that a named set is compared with: by its use, train or the test split.

    Raises: InvalidData where the dataset has no such split.
    """
    classes = dataset.class_splits if named.unit == "video" else None
    if named.part == "train":
        split = classes[0] if classes else "train"
    else:
        split = classes[1] if classes else dataset.declaration.test
    if split not in dataset.tables:
        raise InvalidData(
            f"datasets.{dataset.name}.set: {named.name} would be split {split!r}, and there are "
            f"{', '.join(dataset.tables)}. Name that split, or leave 'set' out."
        )
    return split


@dataclass(frozen=True)
class Shrunk:
    """What a split lacks of the set that it is said to be.

    Attributes:
        set: the set's name.
        whole: how many videos it has.
        videos: how many of those the split lacks.
        unit: what one query of it is.
        one_each: whether each of these is known to have one text, as those in the files have.
    """

    set: str
    whole: int
    videos: int
    unit: str
    one_each: bool

    def remark(self) -> str:
        """Returns it in words, for a record."""
        lacks = f"{self.set} has {number_of(self.whole, 'video')}, of which {self.videos:,} are not in the files"
        return lacks if self.one_each else f"{lacks}; how many texts these have is not known, so no bounds count them"


def shrunk_set(dataset: Dataset, split: str) -> Shrunk | None:
    """Returns by how much a split is smaller than the set that `set:` says it is; None where it is not, or another set.

    Raises: DataError for a split that cannot be read.
    """
    if not (name := dataset.declaration.named_set):
        return None
    named = named_set(name)
    if named.part == "train" or split_of(dataset, named) != split:
        return None
    columns, official = dataset.columns(split), set(named.ids())
    own = columns["video_id"]
    if official and not official.issuperset(own):
        return None
    lacking = named.videos - len(own)
    each = named.unit != "caption" or all(len(said) == 1 for said in columns["sentences"])
    one_each = each and named.queries == named.videos
    return Shrunk(name, named.videos, lacking, named.unit, one_each) if lacking > 0 else None


def compare(dataset: Dataset, split: str, missing: Collection[str] | None) -> SetComparison:
    """Returns a split beside the set that its dataset is declared to be.

    Args:
        missing: videos of the split without features; None where the features could not be looked through.

    Raises: DataError for a split that cannot be read.
    """
    named, columns = named_set(dataset.declaration.named_set), dataset.columns(split)
    ids: Sequence[str] = columns["video_id"]
    own, official = set(ids), set(named.ids())
    there = own & official if named.list_ships else own
    absent = tuple(one for one in named.ids() if one not in own)
    foreign = tuple(one for one in ids if one not in official) if named.list_ships else ()
    sentences = columns.get("sentences", []) if dataset.declaration.queries is None else []
    same = None
    if named.captions_sha256 and sentences and not absent and not foreign:
        same = digest(caption_lines(zip(ids, sentences, strict=True))) == named.captions_sha256
    each = named.unit == "caption" and bool(sentences) and len(there) == named.videos
    return SetComparison(
        set=named.name,
        by="list" if named.list_ships else "number",
        videos=named.videos,
        there=len(there),
        usable=None if missing is None else len(there.difference(missing)),
        absent=absent,
        foreign=foreign,
        captions=sum(map(len, sentences)) if each else None,
        expected_captions=named.queries,
        same_captions=same,
    )
