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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from bench.data.readers.json_files import parse_json
from bench.errors import InvalidData
from bench.metrics.captions.items import Sentence, VideoCaptions
from bench.reading.outside import JSON, finite, read_text, shown
from bench.scoring.caption_forms import IDS, TEXTS, line_rows, put_right, table_rows

EXTENSIONS = ("mp4", "avi", "mkv", "webm", "mov")

Captioned = dict[str, list[Sentence]]


def read_captions(path: Path) -> tuple[Captioned, str]:
    """Returns the sentences of each video in a file, in its order, and a remark where its form left a choice.

    Raises: MissingData when there is no such file; InvalidData for one that is broken, of another form, or holds times
    that are no times.
    """
    suffix = path.name.lower().removesuffix(".gz")
    if suffix.endswith((".csv", ".txt")):
        value, taken = table_rows(path) if suffix.endswith(".csv") else line_rows(path)
    else:
        value, taken = put_right(path, _json(path, read_text(path, JSON)))
    remark = f"{path}: read as {taken}" if taken else ""
    return _of_value(path, value), remark


def _of_value(path: Path, value: Any) -> Captioned:
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
    return {_clean(video): _of_video(path, video, told) for video, told in value.items()}


def joined(predictions: Captioned, references: Sequence[Captioned]) -> tuple[list[VideoCaptions], list[str]]:
    """Returns every video of the references with what was predicted for it, and remarks.

    References of one video in several files are pooled, each an annotation of its own. Sentences without times describe
    a whole video, so each is an annotation of its own.

    Raises: InvalidData where predictions and references have no video in common.
    """
    videos = dict.fromkeys(video for file in references for video in file)
    predictions, notes = _alike(predictions, videos)
    unknown = [video for video in predictions if video not in videos]
    if predictions and len(unknown) == len(predictions):
        raise InvalidData(
            f"none of the {len(predictions):,} predicted videos (such as {unknown[0][:60]!r}) is among the "
            f"{len(videos):,} of the references (such as {next(iter(videos), '')[:60]!r}). Are the ids the same?"
        )
    found = []
    for video in videos:
        annotations: list[tuple[Sentence, ...]] = []
        for file in references:
            annotations += _annotations(file.get(video, []))
        predicted = tuple(predictions[video]) if video in predictions else None
        if annotations:
            found.append(VideoCaptions(video, predicted, tuple(annotations)))
    notes += [f"{len(unknown):,} predicted videos have no reference and are left out"] if unknown else []
    if len(found) < len(videos):
        notes.append(f"{len(videos) - len(found):,} videos of the references have no sentence and are left out")
    return found, notes


def _alike(predictions: Captioned, videos: Mapping[str, None]) -> tuple[Captioned, list[str]]:
    """Returns predictions under ids as the references write them, where only a video file's extension differs."""
    if any(video in videos for video in predictions):
        return predictions, []
    named = {_bare(video): video for video in videos}
    changed = {named.get(_bare(video), video): said for video, said in predictions.items()}
    if len(named) < len(videos) or len(changed) < len(predictions) or not any(video in videos for video in changed):
        return predictions, []
    return changed, ["ids of predictions and references are compared without the extension of a video file"]


def _bare(video: str) -> str:
    stem, _, extension = video.rpartition(".")
    return stem if stem and extension.lower() in EXTENSIONS else video


def _annotations(sentences: Sequence[Sentence]) -> list[tuple[Sentence, ...]]:
    timed = tuple(sentence for sentence in sentences if sentence.segment is not None)
    return ([timed] if timed else []) + [(sentence,) for sentence in sentences if sentence.segment is None]


def _of_rows(path: Path, rows: Iterable[Any]) -> Captioned:
    found: Captioned = {}
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            _refuse(path, f"entry {number} is a JSON {type(row).__name__}")
        video = next((row[key] for key in IDS if key in row), None)
        if not isinstance(video, str | int) or isinstance(video, bool):
            _refuse(path, f"entry {number} names no video by {', '.join(IDS)}")
        found.setdefault(_clean(str(video)), []).append(_sentence(path, str(video), row))
    return found


def _of_video(path: Path, video: str, told: Any) -> list[Sentence]:
    if isinstance(told, str):
        return [Sentence(_clean(told))]
    if isinstance(told, dict) and isinstance(told.get("sentences"), list):
        times = told.get("timestamps", [None] * len(told["sentences"]))
        if not isinstance(times, list) or len(times) != len(told["sentences"]):
            _refuse(path, f"video {video[:60]!r} has other than one timestamp for each sentence")
        told = [{"sentence": text, "timestamp": time} for text, time in zip(told["sentences"], times, strict=True)]
    if not isinstance(told, list):
        _refuse(path, f"video {video[:60]!r} holds a JSON {type(told).__name__}")
    return [
        Sentence(_clean(entry)) if isinstance(entry, str) else _sentence(path, video, entry if entry else {})
        for entry in told
    ]


def _sentence(path: Path, video: str, entry: Any) -> Sentence:
    text = next((entry[key] for key in TEXTS if key in entry), None) if isinstance(entry, dict) else None
    if not isinstance(text, str):
        _refuse(path, f"video {video[:60]!r} has an entry without text ({' or '.join(TEXTS)})")
    times = entry.get("timestamp", entry.get("segment"))
    return Sentence(_clean(text), None if times is None else _times(path, video, times))


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
    forms = (replace(JSON, words=f"JSON Lines: line {number}") for number in range(1, len(lines) + 1))
    return [parse_json(path, line, form) for line, form in zip(lines, forms, strict=True)]


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _clean(text: str) -> str:
    """Returns text that can be written: JSON may hold halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _refuse(path: Path, what: str) -> NoReturn:
    raise InvalidData(f"{path}: {what}. `bench score captions --help` names the forms that are read.")
