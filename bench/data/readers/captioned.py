"""Captions as the official files of caption datasets have them: MSR-VTT, VATEX, MSVD, YouCook2, lists and tables.

`caption_files` says which forms are read. Which one a file has is told by its content, and `bench data verify` says
which was taken. Captions describe whole videos (`segments: none`), several of one video stand in the order of the file,
and `captions:` in bench.yaml says how they are asked. Where the form gives times (YouCook2), sentences describe
segments; `segments: gt` has to be said then. A test split that `queries:` asks may be a list of ids.

Splits are declared in bench.yaml: a file each, all of it or what `part` (the `split` of MSR-VTT, the `subset` of
YouCook2), a list of `ids` or `take` leave. Texts are put right, and broken ones refused, as in
`bench.data.readers.activitynet`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bench.data.declared import DatasetDeclaration, SplitDeclaration
from bench.data.digests import check_id
from bench.data.readers.activitynet import chosen_ids
from bench.data.readers.caption_files import Caption, read_captions
from bench.data.readers.entries import EntryReader
from bench.data.readers.id_lists import only_ids
from bench.data.tables import AnnotatedVideos
from bench.errors import InvalidData

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

WITHOUT = "videos of the file without captions, left out"


def open_dataset(declaration: DatasetDeclaration) -> Dataset:
    """Returns the dataset that bench.yaml declares with `reader: captions`; splits are read when they are used.

    Raises: DataError when features cannot be opened.
    """
    from bench.data.opening import open_annotated

    timed = declaration.segments != "none"
    openers = {split: partial(read_split, part, timed) for split, part in declaration.splits.items()}
    if declaration.queries is not None and declaration.test in declaration.splits:
        openers[declaration.test] = partial(read_gallery, declaration.splits[declaration.test], timed)
    return open_annotated(declaration, openers)


def read_gallery(declaration: SplitDeclaration, timed: bool) -> AnnotatedVideos:
    """Returns the videos of a split that is asked with queries of its own: a list of ids is enough, captions may be.

    Raises: MissingData, InvalidData.
    """
    listed = only_ids(declaration.file)
    if listed is None:
        return read_split(declaration, timed)
    oddities: Counter[str] = Counter()
    twice = next((video for video, count in Counter(listed).items() if count > 1), None)
    if twice is not None:
        raise InvalidData(f"{declaration.file}: {twice[:60]!r} occurs twice. Remove one of the two.")
    chosen = chosen_ids(declaration, dict.fromkeys(listed), oddities)
    ids = tuple(check_id(video, str(declaration.file)) for video in chosen)
    return AnnotatedVideos(
        ids=ids,
        durations=tuple(None for _ in ids),
        timestamps=tuple([] for _ in ids),
        sentences=tuple([] for _ in ids),
        oddities={oddity: count for oddity, count in oddities.items() if count},
        form="a list of videos",
    )


def read_split(declaration: SplitDeclaration, timed: bool) -> AnnotatedVideos:
    """Returns the captions of one split, in file order.

    Args:
        timed: whether sentences describe segments.

    Raises: MissingData; InvalidData for a broken file, or one that gives times when none are expected.
    """
    path = declaration.file
    read = read_captions(path, declaration.part if declaration.ids is None else "")
    said = {video: captions for video, captions in read.videos.items() if captions}
    if not said:
        raise InvalidData(f"{path} holds no captions. Name another file, or another part of it.")
    oddities: Counter[str] = Counter({WITHOUT: len(read.videos) - len(said)})
    with_times = next((video for video, captions in said.items() if any(one.segment for one in captions)), None)
    if with_times is not None and not timed:
        raise InvalidData(
            f"{path}: sentences have times, such as those of video {with_times[:60]!r}: they describe segments. Say "
            "segments: gt beside reader: captions in bench.yaml."
        )
    unknown = next((video for video in said if video not in read.durations), None) if with_times is not None else None
    if unknown is not None:
        raise InvalidData(
            f"{path}: sentences have times, and nothing says how long video {unknown[:60]!r} is. For Charades-STA, put "
            "Charades_v1_train.csv and Charades_v1_test.csv beside it; else write the form of ActivityNet Captions, "
            "with a duration of each video, and declare reader: activitynet."
        )
    reader = EntryReader(path.name, oddities)
    ids = chosen_ids(declaration if declaration.ids else replace(declaration, part=""), said, oddities)
    entries = [reader.read(video, _entry(said[video], read.durations.get(video))) for video in ids]
    return AnnotatedVideos(
        ids=tuple(ids),
        durations=tuple(entry.duration for entry in entries),
        timestamps=tuple(entry.timestamps for entry in entries),
        sentences=tuple(entry.sentences for entry in entries),
        oddities={oddity: count for oddity, count in oddities.items() if count},
        form=read.words or "captions by video",
    )


def _entry(captions: list[Caption], duration: float | None) -> dict[str, object]:
    """Returns a video in the form that `EntryReader` reads; with times where sentences have them."""
    entry: dict[str, object] = {"sentences": [one.text for one in captions], "duration": duration}
    if any(one.segment for one in captions):
        entry["timestamps"] = [list(one.segment) if one.segment else None for one in captions]
    return entry
