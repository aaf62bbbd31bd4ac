"""A named set out of a dataset's own files: the videos and captions that it asks, as the columns of a split.

The files hold it in one of three ways. A split of bench.yaml is called like the set (`splits: {1k-A: {file: …}}`): the
user's official file. Or the set's list ships, and its videos are among those of the test split. Or bench.yaml says
`set: NAME` of the dataset: its test split is the set. Whatever can be compared is: ids and captions where a list ships,
else the numbers. Of several captions of a video the set's own is taken where it can be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.data.features.stored import named_alike
from bench.data.sets.named import NamedSet, caption_digest, caption_lines, digest, named_set
from bench.errors import InvalidData, MissingData

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

Columns = dict[str, list[Any]]


def set_columns(dataset: Dataset, name: str) -> Columns:
    """Returns the columns of a named set, videos in the order of its list, else of the file.

    Raises: MissingData where the files do not hold the set; InvalidData where they hold another one; UnknownName.
    """
    named = named_set(name)
    if dataset.declaration.queries or dataset.declaration.relevance:
        raise InvalidData(
            f"dataset {dataset.name!r} is asked by queries or judgements of its own, and {name} by its captions. Leave "
            f"out set={name}, or queries and relevance under datasets.{dataset.name}."
        )
    split = _holder(dataset, named)
    columns = dataset.columns(split)
    if not named.list_ships:
        _check_numbers(dataset, split, named)
        return columns
    place = {video_id: i for i, video_id in enumerate(columns["video_id"])}
    if absent := [video_id for video_id in named.ids() if video_id not in place]:
        raise _not_there(dataset, split, named, absent)
    rows = [place[video_id] for video_id in named.ids()]
    chosen = {key: [values[i] for i in rows] for key, values in columns.items()}
    if named.captions_sha256:
        chosen["sentences"] = _captions(dataset, split, named, chosen["sentences"])
    return chosen


def _holder(dataset: Dataset, named: NamedSet) -> str:
    """Returns the split that holds a set. Raises: MissingData where none is known to."""
    own = named.name.partition(":")[2]
    if own in dataset.tables:
        return own
    test = dataset.class_splits[1] if dataset.class_splits and named.unit == "video" else dataset.declaration.test
    if named.list_ships or dataset.declaration.named_set == named.name:
        return test
    raise MissingData(
        f"dataset {dataset.name!r}: which videos are in {named.name} is not known to bench, its list does not ship. "
        f"Declare the official file as a split of that name, datasets.{dataset.name}.splits.{own}; or, where {test} is "
        f"that set, say so: datasets.{dataset.name}.set: {named.name}."
    )


def _not_there(dataset: Dataset, split: str, named: NamedSet, absent: Sequence[str]) -> MissingData:
    own, wanted = named.name.partition(":")[2], set(absent)
    held = {other: len(wanted.intersection(dataset.columns(other)["video_id"])) for other in dataset.tables}
    others = [f"{found:,} of them are in {other}" for other, found in held.items() if found]
    if alike := named_alike(absent, dataset.columns(split)["video_id"]):
        others.append(f"{len(alike):,} seem to be there under another name, such as {alike[0][1][:60]!r}")
    where = f"; {', '.join(others)}" if others else ""
    return MissingData(
        f"dataset {dataset.name!r}: {len(absent):,} of the {named.videos:,} videos of {named.name} are not in {split}, "
        f"such as {absent[0]}{where}. Declare a file that has them as datasets.{dataset.name}.splits.{own}, or leave "
        "the set out to ask what is there."
    )


def _check_numbers(dataset: Dataset, split: str, named: NamedSet) -> None:
    """Raises InvalidData where a split has other numbers than the set that it is said to be."""
    columns = dataset.columns(split)
    pairs = [("videos", named.videos, len(columns["video_id"]))]
    if named.unit == "caption" and named.queries:
        pairs.append(("captions", named.queries, sum(map(len, columns["sentences"]))))
    for what, official, own in pairs:
        if own != official:
            raise InvalidData(
                f"dataset {dataset.name!r}: {named.name} has {official:,} {what}, split {split} {own:,}: it is another "
                "test. Take the official file, or leave the set out to ask what is there."
            )


def _captions(dataset: Dataset, split: str, named: NamedSet, sentences: list[list[str]]) -> list[list[str]]:
    """Returns the captions of a set, of those that its videos have. Raises: InvalidData where it has others."""
    ids, official = named.ids(), named.captions_sha256
    if digest(caption_lines(zip(ids, sentences, strict=True))) == official:
        return sentences
    chosen = []
    for video_id, said, wanted in zip(ids, sentences, named.caption_digests() or ("",) * len(ids), strict=True):
        lines = zip(said, caption_lines([(video_id, said)]), strict=True)
        chosen.append([one for one, line in lines if caption_digest(line) == wanted][:1])
    if digest(caption_lines(zip(ids, chosen, strict=True))) == official:
        return chosen
    present = f", {sum(map(bool, chosen)):,} of its {len(ids):,} are there" if named.caption_digests() else ""
    own = named.name.partition(":")[2]
    raise InvalidData(
        f"dataset {dataset.name!r}: the captions of {split} are not those of {named.name}, by their digest{present}. "
        f"Declare the official file as datasets.{dataset.name}.splits.{own}, or leave the set out."
    )
