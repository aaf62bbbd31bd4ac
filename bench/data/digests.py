"""Opaque ids, digests, the held-out tenth, kept clips: everything about a video that is decided by hashing."""

from __future__ import annotations

import hashlib
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from bench.annotations import Described
from bench.data.groups import whole_groups
from bench.errors import InvalidData
from bench.files import digest
from bench.inputs import View


def opaque_id(dataset: str, split: str, kind: str, video_id: str) -> str:
    """Returns 16 hex digits that name a video or a paragraph without telling which belong together.

    Args:
        kind: `video` or `paragraph`; the two are hashed differently, so sorting by opaque id unties their orders.
    """
    return hashlib.sha256("\0".join((dataset, split, kind, video_id)).encode()).hexdigest()[:16]


def pool_digest(paragraphs: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Returns the SHA-256 of a test set: its (video id, sentences) in the order of ids; no segments, no features."""
    return digest(sorted((video_id, list(sentences)) for video_id, sentences in paragraphs))


def described_digest(references: Sequence[Mapping[str, Described]]) -> str:
    """Returns the SHA-256 of the references of a captioning test: ids, segments and sentences of each set."""
    return digest(
        [[[video_id, told.segments, told.sentences] for video_id, told in sorted(one.items())] for one in references]
    )


def classes_digest(labels: Mapping[str, Sequence[int]], class_names: Sequence[str]) -> str:
    """Returns the SHA-256 of an action recognition test: ids with the names of their classes, and all class names."""
    named = sorted((video_id, [class_names[label] for label in labelled]) for video_id, labelled in labels.items())
    return digest([named, list(class_names)])


def heldout_indices(ids: Sequence[str], groups: Mapping[str, str]) -> tuple[int, ...]:
    """Returns the positions of the held-out tenth: the videos of smallest hash, rounded, at least one of two or more.

    A video's hash depends on its id alone, so nearly the same videos are held out when a few are added or left out. A
    video that occurs several times, once for each caption, is held out whole. With `groups`, of videos by id, these
    are hashed by their names and held out whole, until a tenth of the videos is reached.
    """
    group = {video_id: groups.get(video_id, video_id) for video_id in ids}
    sizes = Counter(group.values())
    order = sorted(sizes, key=lambda name: hashlib.sha256(f"held-out\0{name}".encode()).hexdigest())
    members = {name: Counter({0: size}) for name, size in sizes.items()}
    held = whole_groups(order, members, [max(1, round(len(group) / 10))])
    return tuple(i for i, video_id in enumerate(ids) if group[video_id] in held)


def kept_positions(video_id: str, count: int, fraction: float, view: View) -> list[int]:
    """Returns which of `count` clips or sentences of a video are kept, rising: ceil(fraction * count) of them.

    `view.order` says whether the first ones or random ones. Random ones depend on the seed, the id and the position
    alone: a smaller fraction keeps a part of what a larger one keeps, and as many clips as sentences means the same
    positions of both.
    """
    kept = math.ceil(round(fraction * count, 6))
    if view.order == "prefix" or kept == count:
        return list(range(kept))
    hashes = [hashlib.sha256(f"kept\0{view.seed}\0{video_id}\0{i}".encode()).hexdigest() for i in range(count)]
    return sorted(sorted(range(count), key=lambda i: hashes[i])[:kept])


def shuffled_positions(video_id: str, count: int, side: str, seed: int) -> list[int]:
    """Returns the positions of `count` clips or sentences of a video in another order, drawn by a fixed hash.

    Where the draw is the order they stand in, the first goes to the end: of two or more, one always moves.

    Args:
        side: `clip` or `sentence`; the two are shuffled independently.
    """
    hashes = [hashlib.sha256(f"shuffled\0{side}\0{seed}\0{video_id}\0{i}".encode()).hexdigest() for i in range(count)]
    order = sorted(range(count), key=lambda i: hashes[i])
    return order if order != list(range(count)) else [*order[1:], *order[:1]]


def check_id(video_id: str, where: str) -> str:
    """Returns a video id that is safe as part of a file name and as a key of an HDF5 file.

    Raises: InvalidData for an empty id, `.`, path separators, `..`, control characters and broken Unicode.
    """
    reason = None
    if video_id in {"", "."} or video_id != video_id.strip():
        reason = "is empty, a dot, or padded with spaces"
    elif any(part in video_id for part in ("/", "\\", "..")):
        reason = "holds '/', '\\' or '..'"
    elif any(unicodedata.category(character) in {"Cc", "Cs"} for character in video_id):
        reason = "holds a control character"
    elif len(video_id.encode()) > 200:
        reason = "is longer than 200 bytes"
    if reason:
        raise InvalidData(f"{where}: video id {video_id[:80]!r} {reason}; ids become file names. Rename the video.")
    return video_id
