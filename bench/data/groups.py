"""Groups: which videos come from one source, such as clips cut from one film. They are held out of training whole.

`groups:` of a dataset in bench.yaml says so, in one of two ways:

- a pattern over the video id, in which `{group}` is the name of the group and `*` anything, as in file names. What
  stands before `{group}` is no part of the name. `{group}_c*` makes v_Rowing_g08 of v_Rowing_g08_c01: UCF101 counts its
  groups anew in every class, and so the class belongs to the name. `{group}` is as long as the pattern lets it be.
- a .csv table with the columns `video_id` and `group`, which may say more videos than a split has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bench.data.readers.csv_files import read_table
from bench.errors import InvalidData
from bench.reading.numbers import number_of
from bench.reading.outside import regular_file

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

G = TypeVar("G", bound=Hashable)

GROUP = "{group}"
"""Where the name of the group stands in a pattern."""


def groups_of(dataset: Dataset, split: str) -> Mapping[str, str]:
    """Returns the group of each video of a split by its id; {} where bench.yaml does not group the dataset.

    Raises: MissingData without the table; InvalidData, naming a video, when one has no group or all have the same.
    """
    said = dataset.declaration.groups
    if not said:
        return {}
    ids = list(dict.fromkeys(dataset.columns(split)["video_id"]))
    named = _table(said) if isinstance(said, Path) else {video_id: _matched(said, video_id) for video_id in ids}
    where = f"datasets.{dataset.name}.groups: {said}"
    if lacking := [video_id for video_id in ids if not named.get(video_id)]:
        raise InvalidData(
            f"{where}: {len(lacking):,} of {number_of(len(ids), 'video')} of {split} have no group, such as "
            f"{lacking[0]!r}. Give each one: by a pattern that all ids match, or a row video_id,group of a table."
        )
    groups = {video_id: named[video_id] for video_id in ids}
    if len(ids) > 1 and len(set(groups.values())) == 1:
        raise InvalidData(
            f"{where}: all {number_of(len(ids), 'video')} of {split} are of one group, {groups[ids[0]]!r}, such as "
            f"{ids[0]!r}. Groups are held out whole, so name at least two, or leave groups out."
        )
    return groups


def numbered(ids: Sequence[str], groups: Mapping[str, str]) -> tuple[int, ...]:
    """Returns the group of each of `ids` as a number that tells no name; () where there are no groups."""
    number: dict[str, int] = {}
    return tuple(number.setdefault(groups[video_id], len(number)) for video_id in ids) if groups else ()


def whole_groups(drawn: Iterable[G], members: Mapping[G, Counter[int]], wanted: Sequence[int]) -> set[G]:
    """Returns the groups to hold out: one after the other as drawn, none split, until the wanted videos are reached.

    A group is passed over when a class of it has enough, or would have more than half of its videos held out. So of
    two groups of one class one is held out, and where every video is a group of its own exactly the wanted ones are.

    Args:
        members: how many videos of each class a group has.
        wanted: (classes,) how many of each class are to be held out.
    """
    sizes: Counter[int] = Counter()
    for own in members.values():
        sizes.update(own)
    chosen: set[G] = set()
    held: Counter[int] = Counter()
    for group in drawn:
        own = members[group]
        if all(held[c] < wanted[c] and 2 * (held[c] + count) <= sizes[c] for c, count in own.items()):
            held.update(own)
            chosen.add(group)
    return chosen


def _matched(pattern: str, video_id: str) -> str:
    """Returns what stands at `{group}` of a pattern, as long as it can be; "" for an id that does not match."""
    before, _, after = pattern.partition(GROUP)
    ends = range(len(video_id) + 1)
    start = next((end for end in ends if fnmatchcase(video_id[:end], before)), None)
    stop = next((begin for begin in reversed(ends) if fnmatchcase(video_id[begin:], after)), None)
    return "" if start is None or stop is None else video_id[start:stop]


def _table(path: Path) -> dict[str, str]:
    """Returns the groups that a table names. Raises: MissingData; InvalidData for a video in two groups."""
    regular_file(path, "It names the group of each video, in columns video_id and group.")
    groups: dict[str, str] = {}
    for number, row in enumerate(read_table(path, ("video_id", "group")), start=2):
        video_id, group = row["video_id"], row["group"].strip()
        if groups.setdefault(video_id, group) != group:
            raise InvalidData(
                f"{path} row {number}: video {video_id!r} is of group {group!r}, and of {groups[video_id]!r} before. "
                "Leave one row, or give what both share one name."
            )
    return groups
