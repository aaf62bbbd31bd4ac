"""DiDeMo's official annotations, one entry per description, become one entry per video with one moment per description.

Each annotator marks a description's moment by its first and last chunk of 5 seconds. The chunks that most annotators
cover decide: from the first to the last of them. With `rate = frames / duration`, the moment is the frames
int(5 * first * rate) to min(int(5 * (last + 1) * rate), frames), multiplied in this order: another rounds some of them
differently. The descriptions of a video are put in order of time: by start, then end, else as they stand in the file.
This gives every moment of the grouped val and test files of the released code of "Cross-Modal and Hierarchical
Modeling of Video and Text", 4,180 and 4,021.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from bench.errors import InvalidData
from bench.reading.outside import shown

CHUNK_SECONDS = 5
MOST_CHUNKS = 10_000
TWO_NAMES = "videos named with more than one file ending, taken as one"
BARE_DOTS = "video names that end in a bare dot, the dot left out"
UNKNOWN_LENGTHS = "videos whose length nobody gives, taken as 5 s for each of their chunks"


@dataclass(frozen=True)
class VideoLength:
    """How long a video is: seconds, and the frames that moments are counted in."""

    duration: float
    frames: int


@dataclass(frozen=True)
class _Description:
    text: str
    votes: list[list[int]]
    chunks: int


def voted_chunks(votes: Sequence[Sequence[int]]) -> tuple[int, int]:
    """Returns the first and the last of the chunks that most annotators cover.

    Args:
        votes: first and last chunk, inclusive, of each annotator.
    """
    covered = Counter(chunk for first, last in votes for chunk in range(first, last + 1))
    most = max(covered.values())
    winners = [chunk for chunk, count in covered.items() if count == most]
    return min(winners), max(winners)


def frame_moment(votes: Sequence[Sequence[int]], length: VideoLength) -> list[int]:
    """Returns the moment that annotators agree on as [start frame, end frame]."""
    first, last = voted_chunks(votes)
    rate = length.frames / length.duration
    return [int(CHUNK_SECONDS * first * rate), min(int(CHUNK_SECONDS * (last + 1) * rate), length.frames)]


def group(
    entries: Sequence[Any], lengths: Mapping[str, VideoLength], file: str, oddities: Counter[str]
) -> dict[str, dict[str, Any]]:
    """Returns official entries grouped by video, in the form of the grouped files and in order of first appearance.

    A video without a length gets one frame a second and a whole number of chunks, and no key `feature_leng`.

    Raises: InvalidData naming file and entry.
    """
    names: dict[str, set[str]] = {}
    described: dict[str, list[_Description]] = {}
    for number, entry in enumerate(entries):
        name, description = _checked(entry, f"{file}: entry {number}")
        video_id = name.rpartition(".")[0] or name
        names.setdefault(video_id, set()).add(name)
        described.setdefault(video_id, []).append(description)
    oddities[TWO_NAMES] += sum(len(given) > 1 for given in names.values())
    oddities[BARE_DOTS] += sum(name.endswith(".") for given in names.values() for name in given)
    oddities[UNKNOWN_LENGTHS] += len(described.keys() - lengths.keys())
    return {video_id: _grouped(moments, lengths.get(video_id)) for video_id, moments in described.items()}


def _grouped(described: list[_Description], length: VideoLength | None) -> dict[str, Any]:
    chunks = max(description.chunks for description in described)
    seconds = CHUNK_SECONDS * chunks
    counted = length or VideoLength(seconds, seconds)
    moments = [(frame_moment(description.votes, counted), description.text) for description in described]
    moments.sort(key=lambda moment: moment[0])  # stable: equal moments stay in the order of the file
    entry: dict[str, Any] = {
        "duration": counted.duration,
        "num_segments": chunks,
        "times": [times for times, _ in moments],
        "description": [text for _, text in moments],
    }
    return entry if length is None else {**entry, "feature_leng": counted.frames}


def _checked(entry: Any, where: str) -> tuple[str, _Description]:
    """Returns the video's file name and the description of one official entry."""
    if not isinstance(entry, Mapping):
        _refuse(where, f"is {type(entry).__name__}, not an object")
    name, text = entry.get("video"), entry.get("description")
    if not isinstance(name, str) or not name:
        _refuse(where, "has no video name")
    if not isinstance(text, str):
        _refuse(where, "has no description")
    chunks, votes = entry.get("num_segments"), entry.get("times")
    if not isinstance(chunks, int) or isinstance(chunks, bool) or not 1 <= chunks <= MOST_CHUNKS:
        _refuse(where, f"has num_segments {shown(chunks)}, expected the number of chunks")
    if not isinstance(votes, list) or not votes or not all(_is_vote(vote, chunks) for vote in votes):
        _refuse(where, f"has times {shown(votes)}, expected [first, last] chunk of {chunks} for each annotator")
    return name, _Description(text, votes, chunks)


def _is_vote(vote: Any, chunks: int) -> bool:
    return isinstance(vote, list) and len(vote) == 2 and all(map(_whole, vote)) and 0 <= vote[0] <= vote[1] < chunks


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _refuse(where: str, reason: str) -> NoReturn:
    raise InvalidData(f"{where} {reason}. Take the official file, or correct the entry.")
