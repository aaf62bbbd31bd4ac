"""Classes of whole videos: `labels.csv`, as a dataset of its own (`reader: labels`) or beside captions (`labels:`).

A table with a head and one video in each row. Columns: `video_id`; `subset`, `train` or `training` for training
videos, `val`, `valid`, `validation` or `test` for test videos; `labels`, the names of the video's classes separated by
`|`, the main one first; `duration` in seconds, which may be left out or empty (then one second is counted per feature
row). Other columns are ignored. The classes are numbered in the alphabetical order of their names, over the whole file.

Where bench.yaml names a file for each split, these are official lists instead (`bench.data.readers.class_lists`).

What is refused (`InvalidData`, naming file and row): a missing column, a video without a class, a video given twice, a
subset of another name, test videos of two different subsets, an id that could not be a file name, a duration that is no
positive number. A class that no training video has is kept: no model can learn it, and its videos count all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.data.declared import DatasetDeclaration, SplitDeclaration
from bench.data.digests import check_id
from bench.data.readers.class_lists import hmdb51_classes, listed_classes
from bench.data.readers.csv_files import read_table
from bench.data.tables import AnnotatedVideos
from bench.errors import InvalidData, MissingData
from bench.reading.numbers import real_in
from bench.reading.outside import regular_file, shown

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

FILE = "labels.csv"
TRAINING = ("train", "training")
TESTING = ("val", "valid", "validation", "test", "testing")
UNSEEN = "videos of classes that no training video has, kept"


@dataclass(frozen=True)
class LabelledVideo:
    """One row: id, whether it is for training, names of its classes, seconds or None."""

    video_id: str
    subset: str
    classes: tuple[str, ...]
    duration: float | None


def open_dataset(declaration: DatasetDeclaration) -> Dataset:
    """Returns the dataset that bench.yaml declares with `reader: labels`: splits `train` and `test`.

    Raises: ConfigError, and DataError when features cannot be opened.
    """
    from bench.data.opening import open_annotated

    if declaration.splits:
        return open_annotated(declaration, _of_lists(declaration))
    if declaration.root is None:
        raise MissingData(
            f"datasets.{declaration.name}: 'reader: labels' reads {FILE} in the folder `root`, which says which "
            "video is of which split, or official lists. Name a folder as root, or lists under `splits:`."
        )
    return open_annotated(declaration, labelled_splits(declaration.root / FILE, ("train", "test")))


def _of_lists(declaration: DatasetDeclaration) -> Mapping[str, Callable[[], AnnotatedVideos]]:
    """Returns the splits whose official lists bench.yaml names; classes are those of all lists together."""
    other = next((s for s, p in declaration.splits.items() if p.ids or p.take or bool(p.part) != p.file.is_dir()), None)
    if other is not None and declaration.splits[other].file.is_dir():
        raise MissingData(
            f"datasets.{declaration.name}.splits.{other}: a folder of HMDB51's lists needs one of its splits, part: "
            "split1, split2 or split3, and neither ids nor take."
        )
    if other is not None:
        raise MissingData(
            f"datasets.{declaration.name}.splits.{other}: lists of classes are taken whole. Write the part that is "
            "meant into a file, and name that."
        )
    return {split: partial(_read_list, declaration.splits, split) for split in declaration.splits}


def _read_list(files: Mapping[str, SplitDeclaration], split: str) -> AnnotatedVideos:
    lists = {
        other: hmdb51_classes(one.file, one.part, training=other in TRAINING) if one.part else listed_classes(one.file)
        for other, one in files.items()
    }
    names = sorted({name for listed in lists.values() for _, name in listed})
    number = {name: i for i, name in enumerate(names)}
    own = lists[split]
    seen = {name for _, name in lists.get("train", own)}
    unseen = sum(name not in seen for _, name in own)
    return AnnotatedVideos(
        ids=tuple(check_id(video, str(files[split].file)) for video, _ in own),
        durations=tuple(None for _ in own),
        timestamps=tuple([] for _ in own),
        sentences=tuple([] for _ in own),
        labels=tuple((number[name],) for _, name in own),
        class_names=tuple(names),
        oddities={UNSEEN: unseen} if unseen else {},
        form="a list of classes",
    )


def labelled_splits(path: Path, names: tuple[str, str]) -> Mapping[str, Callable[[], AnnotatedVideos]]:
    """Returns the training and the test videos of a labels.csv under the two names, read when they are used."""
    return {name: partial(_read_split, path, training) for name, training in zip(names, (True, False), strict=True)}


def _read_split(path: Path, training: bool) -> AnnotatedVideos:
    videos = _read(path)
    names = sorted({name for video in videos for name in video.classes})
    number = {name: i for i, name in enumerate(names)}
    seen = {name for video in videos if video.subset in TRAINING for name in video.classes}
    chosen = [video for video in videos if (video.subset in TRAINING) == training]
    unseen = sum(not seen.issuperset(video.classes) for video in chosen) if seen else 0
    return AnnotatedVideos(
        ids=tuple(video.video_id for video in chosen),
        durations=tuple(video.duration for video in chosen),
        timestamps=tuple([] for _ in chosen),
        sentences=tuple([] for _ in chosen),
        labels=tuple(tuple(number[name] for name in video.classes) for video in chosen),
        class_names=tuple(names),
        oddities={UNSEEN: unseen} if unseen else {},
    )


def _read(path: Path) -> tuple[LabelledVideo, ...]:
    """Returns every row. Raises: MissingData without the file, InvalidData naming the first row that is wrong."""
    state = regular_file(
        path, "It lists video_id, subset and labels of each video; official lists are named by `splits:`."
    ).stat()
    return _read_once(path, state.st_mtime_ns, state.st_size)


@cache
def _read_once(path: Path, changed: int, size: int) -> tuple[LabelledVideo, ...]:
    """Returns every row of a file as it was when `changed`, read once for both of its splits."""
    rows = read_table(path, ("video_id", "subset", "labels"))
    videos = tuple(_video(f"{path} row {number}", row) for number, row in enumerate(rows, start=2))
    seen: set[str] = set()
    for video in videos:
        if video.video_id in seen:
            raise InvalidData(f"{path}: video {video.video_id!r} occurs twice. Leave one row, with all its classes.")
        seen.add(video.video_id)
    tests = sorted({video.subset for video in videos} - set(TRAINING))
    if len(tests) != 1:
        subsets = ", ".join(sorted({video.subset for video in videos})) or "no rows"
        raise InvalidData(
            f"{path}: subsets {subsets}; expected one for testing (test), and one for training (train) if models train."
        )
    return videos


def _video(where: str, row: Mapping[str, str | None]) -> LabelledVideo:
    video_id = check_id(row["video_id"] or "", where)
    subset = (row["subset"] or "").strip().lower()
    if subset not in TRAINING + TESTING:
        raise InvalidData(f"{where}: subset {shown(row['subset'])}; use one of {', '.join(TRAINING + TESTING)}.")
    classes = tuple(dict.fromkeys(name.strip() for name in (row["labels"] or "").split("|") if name.strip()))
    if not classes:
        raise InvalidData(f"{where}: video {video_id!r} has no class. Give it one, or take the row out.")
    return LabelledVideo(video_id, subset, classes, _duration(where, row.get("duration")))


def _duration(where: str, text: str | None) -> float | None:
    if text is None or not text.strip():
        return None
    seconds = real_in(text.strip())
    if seconds is None or seconds <= 0:
        raise InvalidData(
            f"{where}: duration {shown(text)} is no positive number of seconds. Fix it, or leave it empty."
        )
    return seconds
