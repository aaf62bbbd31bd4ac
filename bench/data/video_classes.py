"""Which class each video of a split belongs to, for pictures: found in the split's own table, or in that of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bench.data.digests import opaque_id
from bench.errors import MissingData

if TYPE_CHECKING:
    from bench.data.dataset import Dataset


class ClassedVideo(NamedTuple):
    """A video under its own id, and the name of its main class."""

    video_id: str
    class_name: str


def classed_videos(dataset: Dataset, split: str) -> dict[str, ClassedVideo]:
    """Returns opaque id -> video, for those videos of a split that have a class; the first of several is the main one.

    Raises: MissingData where none has; DataError when annotations are broken.
    """
    names = dataset.class_names()
    wanted = dataset.columns(split)["video_id"]
    main: dict[str, str] = {}
    for source in (split, *(dataset.class_splits or ())):
        columns = dataset.columns(source)
        for video_id, labels in zip(columns["video_id"], columns.get("labels", ()), strict=False):
            main.setdefault(video_id, names[labels[0]])
    classed = {opaque_id(dataset.name, split, "video", v): ClassedVideo(v, main[v]) for v in wanted if v in main}
    if not classed:
        raise MissingData(
            f"dataset {dataset.name!r}: no video of {split} has a class. Declare a labels.csv as "
            f"datasets.{dataset.name}.labels."
        )
    return classed
