"""Captions and references in the files that people exchange, plain or gzip, opened without trust.

Read as predictions and as references alike:

    {"results": {id: [{"sentence": …, "timestamp": [start, end]}]}, …}      ActivityNet challenge
    {id: {"timestamps": [[start, end], …], "sentences": […], …}}            ActivityNet Captions
    {id: [caption, …]} or {id: caption}                                     captions of whole videos
    [{"image_id": …, "caption": …}] or {"annotations": […]}                 COCO
    one such object on each line                                            JSON Lines

and the official files of `caption_forms`. An object names its video by `image_id`, `video_id`, `video` or `id`, its
text by `caption` or `sentence`, and may have a `timestamp` or a `segment`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from bench.data.readers.caption_forms import IDS, TEXTS, TakenCaptions, line_rows, put_right, table_rows
from bench.data.readers.json_files import json_lines, parse_json
from bench.errors import InvalidData
from bench.reading.outside import JSON, finite, read_text, shown


@dataclass(frozen=True)
class Caption:
    """What a file says of a video, or of a segment of it: start and end in seconds."""

    text: str
    segment: tuple[float, float] | None = None


@dataclass(frozen=True)
class CaptionFile:
    """The captions of each video of a file, in its order.

    Attributes:
        videos: video id -> its captions.
        words: which form was read and what was taken, where that left a choice; else empty.
        durations: seconds of each video, where the form says so.
    """

    videos: dict[str, list[Caption]]
    words: str
    durations: Mapping[str, float]


def read_captions(path: Path, part: str | None = "") -> CaptionFile:
    """Returns the captions of each video in a file; of one `part` of it as in `caption_forms.put_right`.

    Raises: MissingData when there is no such file; InvalidData for one that is broken, of another form, or holds times
    that are no times.
    """
    suffix = path.name.lower().removesuffix(".gz")
    if suffix.endswith((".csv", ".txt")):
        if part:
            raise InvalidData(f"{path} names no parts, so not {part[:60]!r} either. Leave 'part' out, or name 'ids'.")
        taken = TakenCaptions(*(table_rows(path) if suffix.endswith(".csv") else line_rows(path)))
    else:
        taken = put_right(path, _json(path, read_text(path, JSON)), part)
    return CaptionFile(_of_value(path, taken.value), taken.words, taken.durations)


def _of_value(path: Path, value: Any) -> dict[str, list[Caption]]:
    if isinstance(value, dict) and isinstance(value.get("results"), dict):
        value = value["results"]
    elif isinstance(value, dict) and isinstance(value.get("annotations"), list):
        value = value["annotations"]
    elif isinstance(value, dict) and any(isinstance(value.get(key), str) for key in TEXTS):
        value = [value]
    if isinstance(value, list):
        return _of_rows(path, value)
    if not isinstance(value, dict):
        _refuse(path, f"holds a JSON {type(value).__name__}")
    return {video: _of_video(path, video, told) for video, told in value.items()}


def _of_rows(path: Path, rows: Iterable[Any]) -> dict[str, list[Caption]]:
    captions: dict[str, list[Caption]] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            _refuse(path, f"entry {number} is a JSON {type(row).__name__}")
        video = next((row[key] for key in IDS if key in row), None)
        if not isinstance(video, str | int) or isinstance(video, bool):
            _refuse(path, f"entry {number} names no video by {', '.join(IDS)}")
        captions.setdefault(str(video), []).append(_sentence(path, str(video), row))
    return captions


def _of_video(path: Path, video: str, told: Any) -> list[Caption]:
    if isinstance(told, str):
        return [Caption(told)]
    if isinstance(told, dict) and isinstance(told.get("sentences"), list):
        times = told.get("timestamps", [None] * len(told["sentences"]))
        if not isinstance(times, list) or len(times) != len(told["sentences"]):
            _refuse(path, f"video {video[:60]!r} has other than one timestamp for each sentence")
        told = [{"sentence": text, "timestamp": time} for text, time in zip(told["sentences"], times, strict=True)]
    if not isinstance(told, list):
        _refuse(path, f"video {video[:60]!r} holds a JSON {type(told).__name__}")
    return [
        Caption(entry) if isinstance(entry, str) else _sentence(path, video, entry if entry else {}) for entry in told
    ]


def _sentence(path: Path, video: str, entry: Any) -> Caption:
    text = next((entry[key] for key in TEXTS if key in entry), None) if isinstance(entry, dict) else None
    if not isinstance(text, str):
        if isinstance(entry, dict) and "description" in entry:
            raise InvalidData(
                f"{path}: video {video[:60]!r} is described as in DiDeMo, whose reader in bench.yaml is didemo."
            )
        _refuse(path, f"video {video[:60]!r} has an entry without text ({' or '.join(TEXTS)})")
    times = entry.get("timestamp", entry.get("segment"))
    return Caption(text, None if times is None else _times(path, video, times))


def _times(path: Path, video: str, times: Any) -> tuple[float, float]:
    numbers = [finite(time) for time in times] if isinstance(times, list) else []
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        _refuse(path, f"video {video[:60]!r} has a timestamp {shown(times)}; expected [start, end] in seconds")
    return numbers[0], numbers[1]


def _json(path: Path, text: str) -> Any:
    """Returns a whole file of JSON, or the list of its lines."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < 2 or not _is_json(lines[0]):
        return parse_json(path, text)
    return [value for _, value in json_lines(path, replace(JSON, words="JSON Lines"), text)]


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(path: Path, what: str) -> NoReturn:
    raise InvalidData(f"{path}: {what}. `bench score captions --help` names the forms that are read.")
