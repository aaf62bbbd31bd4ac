"""The official files of caption datasets, put into the forms of `caption_files`; what was taken is said.

A file that names parts itself (MSR-VTT by `split`, YouCook2 by `subset`) may be asked for one of them.

{"videos": [{"video_id": …, "split": …}], "sentences": [{"video_id": …, "caption": …}]}    MSR-VTT (videodatainfo)
[{"videoID": …, "enCap": [caption, …]}]                                     VATEX, the English captions
{"database": {id: {"subset": …, "annotations": [{"segment": [start, end], "sentence": …}]}}}    YouCook2
[{"video": …, "caption": [caption, …]}]                                     lists of UMT, LAVIS, InternVideo
VideoID,Start,End,…,Language,Description                                    MSVD; ids VideoID_Start_End, English
video_id,sentence                                                           a table with a head, as of MSR-VTT 1k-A
id caption                                                                  .txt, a caption on each line, as of MSVD
id start end##sentence                                                      .txt, Charades-STA; lengths of videos are in
                                                                            the Charades_v1_*.csv beside it
clip TAB start TAB end TAB start TAB end TAB sentence                       .csv, LSMDC, a caption of each clip
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.data.readers.csv_files import read_table
from bench.errors import InvalidData
from bench.reading.numbers import number_of, real_in
from bench.reading.outside import finite, read_text, shown

IDS = ("image_id", "video_id", "video", "id")
TEXTS = ("caption", "sentence")
TEXT_COLUMNS = (*TEXTS, "description")
TRAINING = ("train", "training")
LSMDC_FIELDS = 6
CHARADES = re.compile(r"(?P<video>\S+) (?P<start>[0-9]+(?:\.[0-9]+)?) (?P<end>[0-9]+(?:\.[0-9]+)?) ?##(?P<text>.*)")
MSVD = {"VideoID", "Start", "End", "Description"}

Rows = list[dict[str, Any]]


def table_rows(path: Path) -> tuple[Rows, str]:
    """Returns the captions of a CSV table as objects, and what was taken. Raises: MissingData, InvalidData."""
    if len(first := read_text(path).partition("\n")[0].split("\t")) == LSMDC_FIELDS:
        return _lsmdc(path, len(first))
    table = read_table(path, ())
    columns = list(table[0]) if table else []
    if set(columns) >= MSVD:
        own = [row for row in table if row.get("Language", "English") == "English"]
        rows = [{"id": "_".join((r["VideoID"], r["Start"], r["End"])), "caption": r["Description"]} for r in own]
        return (
            rows,
            f"MSVD table: ids VideoID_Start_End, {len(own):,} English captions of {number_of(len(table), 'row')}",
        )
    video = next((name for name in columns if name in IDS), None)
    text = next((name for name in columns if name.lower() in TEXT_COLUMNS), None)
    if video is None or text is None:
        raise InvalidData(
            f"{path}: no column of videos ({', '.join(IDS)}) or of captions ({', '.join(TEXT_COLUMNS)}). Columns: "
            f"{', '.join(map(shown, columns[:10])) or 'none'}. Name them so, between commas."
        )
    return [{"id": row[video], "caption": row[text]} for row in table], f"columns {video} and {text}"


def _lsmdc(path: Path, fields: int) -> tuple[Rows, str]:
    rows = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        parts = line.split("\t")
        if line.strip() and len(parts) != fields:
            raise InvalidData(f"{path}:{number}: {len(parts)} fields, expected {fields} between tabs, as of LSMDC.")
        if line.strip():
            rows.append({"id": parts[0], "caption": parts[-1]})
    return rows, "LSMDC form, a caption of each clip"


def line_rows(path: Path) -> tuple[Rows, str, Mapping[str, float]]:
    """Returns the captions of a text file, what was taken, and what is known of durations.

    Raises: MissingData, InvalidData.
    """
    lines = [(number, line.strip()) for number, line in enumerate(read_text(path).splitlines(), 1) if line.strip()]
    if lines and CHARADES.fullmatch(lines[0][1]):
        return _charades(path, lines)
    rows = []
    for number, line in lines:
        video, _, text = line.partition("\t" if "\t" in line else " ")
        if not text.strip():
            raise InvalidData(f"{path}:{number}: expected an id and a caption.")
        rows.append({"id": video, "caption": text.strip()})
    return rows, "lines of an id and a caption", {}


def _charades(path: Path, lines: Sequence[tuple[int, str]]) -> tuple[Rows, str, Mapping[str, float]]:
    rows = []
    for number, line in lines:
        match = CHARADES.fullmatch(line)
        if match is None:
            raise InvalidData(f"{path}:{number}: expected 'id start end##sentence', as in the lines before.")
        times = [float(match["start"]), float(match["end"])]
        rows.append({"id": match["video"], "timestamp": times, "caption": match["text"]})
    lengths: dict[str, float] = {}
    for table in sorted(path.parent.glob("Charades_v1_*.csv")):
        for row in read_table(table, ("id", "length")):
            if (seconds := real_in(row["length"])) is not None:
                lengths[row["id"]] = seconds
    return rows, "Charades-STA form", lengths


@dataclass(frozen=True)
class TakenCaptions:
    """What was taken from a file.

    Attributes:
        value: its captions in one of the forms that `caption_files` reads.
        words: which official form it had and what was taken; empty for the plain forms.
        durations: seconds of each video, where the form says so.
    """

    value: Any
    words: str = ""
    durations: Mapping[str, float] = field(default_factory=dict)


def put_right(path: Path, value: Any, part: str | None = "") -> TakenCaptions:
    """Returns what is taken from JSON in an official form, or the JSON as it is.

    Args:
        part: the videos of which part; all for "", and for None those to be tested on, where the form names parts.

    Raises: InvalidData for a part that is not there, or where several could be meant.
    """
    if isinstance(value, Mapping) and _of_msrvtt(value.get("sentences")) and isinstance(value.get("videos", []), list):
        return _msrvtt(path, value, part)
    if isinstance(value, Mapping) and isinstance(value.get("database"), Mapping):
        return _youcook2(path, value["database"], part)
    if part:
        raise InvalidData(f"{path} names no parts, so not {part[:60]!r} either. Leave 'part' out, or name 'ids'.")
    if _all_objects(value) and all("videoID" in row and isinstance(row.get("enCap"), list) for row in value):
        rows = [{"id": row["videoID"], "caption": text} for row in value for text in row["enCap"]]
        return TakenCaptions(rows, "VATEX form, the English captions (enCap)")
    if _all_objects(value) and any(_many(row) for row in value):
        return TakenCaptions([one for row in value for one in _each(row)], "lists of captions, each one of its own")
    return TakenCaptions(value)


def _msrvtt(path: Path, value: Mapping[str, Any], part: str | None) -> TakenCaptions:
    videos = {str(video.get("video_id")): video for video in value.get("videos", ()) if isinstance(video, dict)}
    named = {video: str(told.get("split", "")) for video, told in videos.items()}
    durations = {video: seconds for video, told in videos.items() if (seconds := _lasting(told))}
    if not part:
        words = f"splits {', '.join(sorted(set(named.values())))}" if any(named.values()) else "all videos"
        return TakenCaptions(value["sentences"], f"MSR-VTT form, {words}", durations)
    _check_part(path, part, named.values())
    rows = [row for row in value["sentences"] if named.get(str(row.get("video_id"))) == part]
    return TakenCaptions(rows, f"MSR-VTT form, split {part}", durations)


def _lasting(told: Mapping[str, Any]) -> float | None:
    start, end = finite(told.get("start time")), finite(told.get("end time"))
    return end - start if start is not None and end is not None and end > start else None


def _youcook2(path: Path, database: Mapping[str, Any], part: str | None) -> TakenCaptions:
    objects = {video: told for video, told in database.items() if isinstance(told, Mapping)}
    named = {video: str(told.get("subset", "")) for video, told in objects.items()}
    if part is None:
        tested = sorted({subset for subset in named.values() if subset.lower() not in TRAINING})
        if len(tested) != 1:
            listed = ", ".join(tested) or "none but for training"
            raise InvalidData(f"{path} holds several subsets to be tested on, or none: {listed}. Write a file of one.")
        part = tested[0]
    elif part:
        _check_part(path, part, named.values())
    videos = {v: told.get("annotations") for v, told in objects.items() if named[v] == part or not part}
    durations = {v: seconds for v, told in objects.items() if (seconds := finite(told.get("duration")))}
    which = f"subset {part}" if part else "all subsets"
    return TakenCaptions(
        videos, f"YouCook2 form, {which}, {len(videos):,} of {number_of(len(database), 'video')}", durations
    )


def _check_part(path: Path, part: str, named: Iterable[str]) -> None:
    known = sorted(set(named))
    if part not in known:
        raise InvalidData(f"{path} holds no part {part[:60]!r}. Parts: {', '.join(known)[:200]}. Correct 'part'.")


def _all_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _of_msrvtt(sentences: Any) -> bool:
    return _all_objects(sentences) and all("video_id" in sentence for sentence in sentences)


def _many(row: Mapping[str, Any]) -> bool:
    return any(isinstance(row.get(key), list) for key in TEXTS)


def _each(row: dict[str, Any]) -> Sequence[dict[str, Any]]:
    key = next((key for key in TEXTS if isinstance(row.get(key), list)), None)
    return [row] if key is None else [{**row, key: text} for text in row[key]]
