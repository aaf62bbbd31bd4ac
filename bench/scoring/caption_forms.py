"""The official files of caption datasets, put into the forms of `caption_files`; what was taken is said.

{"videos": […], "sentences": [{"video_id": …, "caption": …}]}               MSR-VTT (videodatainfo)
[{"videoID": …, "enCap": [caption, …]}]                                     VATEX, the English captions
{"database": {id: {"subset": …, "annotations": [{"segment": [start, end], "sentence": …}]}}}    YouCook2
[{"video": …, "caption": [caption, …]}]                                     lists of UMT, LAVIS, InternVideo
VideoID,Start,End,…,Language,Description                                    MSVD; ids VideoID_Start_End, English
video_id,sentence                                                           a table with a head, as of MSR-VTT 1k-A
id caption                                                                  .txt, a caption on each line, as of MSVD
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.data.readers.csv_files import read_table
from bench.errors import InvalidData
from bench.reading.outside import read_text

IDS = ("image_id", "video_id", "video", "id")
TEXTS = ("caption", "sentence")
TEXT_COLUMNS = (*TEXTS, "description")
TRAINING = ("train", "training")
MSVD = {"VideoID", "Start", "End", "Description"}

Rows = list[dict[str, Any]]


def table_rows(path: Path) -> tuple[Rows, str]:
    """Returns the captions of a CSV table as objects, and what was taken. Raises: MissingData, InvalidData."""
    table = read_table(path, ())
    columns = list(table[0]) if table else []
    if set(columns) >= MSVD:
        own = [row for row in table if row.get("Language", "English") == "English"]
        rows = [{"id": "_".join((r["VideoID"], r["Start"], r["End"])), "caption": r["Description"]} for r in own]
        return rows, f"MSVD table: ids VideoID_Start_End, {len(own):,} English captions of {len(table):,} rows"
    video = next((name for name in columns if name in IDS), None)
    text = next((name for name in columns if name.lower() in TEXT_COLUMNS), None)
    if video is None or text is None:
        raise InvalidData(
            f"{path}: no column of videos ({', '.join(IDS)}) or of captions ({', '.join(TEXT_COLUMNS)}). Name them so."
        )
    return [{"id": row[video], "caption": row[text]} for row in table], f"columns {video} and {text}"


def line_rows(path: Path) -> tuple[Rows, str]:
    """Returns the captions of a text file, `id caption` on each line. Raises: MissingData, InvalidData."""
    rows = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        video, _, text = line.strip().partition("\t" if "\t" in line else " ")
        if video and not text.strip():
            raise InvalidData(f"{path}:{number}: expected an id and a caption.")
        if video:
            rows.append({"id": video, "caption": text.strip()})
    return rows, "lines of an id and a caption"


def put_right(path: Path, value: Any) -> tuple[Any, str]:
    """Returns JSON in one of the forms that `caption_files` reads, and what was taken where it had an official one.

    Raises: InvalidData where several subsets could be meant.
    """
    if isinstance(value, Mapping) and _all_objects(value.get("sentences")) and "videos" in value:
        return value["sentences"], f"MSR-VTT form, {_subsets_of(value['videos'])}"
    if isinstance(value, Mapping) and isinstance(value.get("database"), Mapping):
        return _subset(path, value["database"])
    if _all_objects(value) and all("videoID" in row and isinstance(row.get("enCap"), list) for row in value):
        rows = [{"id": row["videoID"], "caption": text} for row in value for text in row["enCap"]]
        return rows, "VATEX form, the English captions (enCap)"
    if _all_objects(value) and any(_many(row) for row in value):
        return [one for row in value for one in _each(row)], "lists of captions, each one of its own"
    return value, ""


def _subset(path: Path, database: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    named = {video: str(told.get("subset", "")) for video, told in database.items() if isinstance(told, Mapping)}
    tested = sorted({subset for subset in named.values() if subset.lower() not in TRAINING})
    if len(tested) != 1:
        found = ", ".join(tested) or "none but for training"
        raise InvalidData(f"{path} holds several subsets to be tested on, or none: {found}. Write a file of one.")
    videos = {video: database[video].get("annotations") for video, subset in named.items() if subset == tested[0]}
    return videos, f"YouCook2 form, subset {tested[0]}, {len(videos):,} of {len(database):,} videos"


def _all_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _subsets_of(videos: Any) -> str:
    splits = (
        {str(video.get("split", "")) for video in videos if isinstance(video, dict)} if _all_objects(videos) else ()
    )
    return f"splits {', '.join(sorted(splits))}" if splits else "all videos"


def _many(row: Mapping[str, Any]) -> bool:
    return any(isinstance(row.get(key), list) for key in TEXTS)


def _each(row: dict[str, Any]) -> Sequence[dict[str, Any]]:
    key = next((key for key in TEXTS if isinstance(row.get(key), list)), None)
    return [row] if key is None else [{**row, key: text} for text in row[key]]
