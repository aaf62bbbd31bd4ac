"""Scores of classes in tables and arrays, read as what `class_files` reads from JSON.

CSV with video_id, label, score             one row for each class of a video
CSV with video_id and a column each class   a number in each cell; an empty one is not listed
npz with video_id (n,), class_names (k,), scores (n, k)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.data.features.arrays import load_array, stored_array, stored_names
from bench.data.readers.csv_files import read_table
from bench.errors import InvalidData
from bench.reading.outside import shown

IDS = ("video_id", "ids", "video")
WRITE_NPZ = "np.savez(file, video_id=ids, class_names=names, scores=scores), scores of shape (videos, classes)"

Scored = Iterator[tuple[str, str, float]]
"""A video, a class, and its finite score."""


def scores_of(path: Path) -> Scored:
    """Yields what a .csv, .npz or .npy file says, in its order.

    Raises: MissingData; InvalidData for a file that is broken or of another form, and for scores that are no finite
    numbers.
    """
    suffix = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if suffix == "npy":
        raise InvalidData(f"{path} names neither videos nor classes. Write them beside the scores: {WRITE_NPZ}.")
    return _of_table(path) if suffix == "csv" else _of_npz(path)


def _of_table(path: Path) -> Scored:
    table = read_table(path, ())
    columns = list(table[0]) if table else []
    video = next((name for name in columns if name in IDS), None)
    if video is None:
        raise InvalidData(f"{path}: no column video_id. Columns: {', '.join(map(shown, columns[:10])) or 'none'}.")
    long = {"label", "score"} <= set(columns)
    for number, row in enumerate(table, start=2):
        cells = [(row["label"], row["score"])] if long else [(n, row[n]) for n in columns if n != video and row[n]]
        for name, text in cells:
            yield row[video], name, _number(path, number, text)


def _number(path: Path, row: int, text: str) -> float:
    try:
        number = float(text) if "_" not in text else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidData(f"{path} row {row}: score {shown(text)} is no finite number.")
    return number


def _of_npz(path: Path) -> Scored:
    names = stored_names(path)
    ids_name = next((name for name in IDS if name in names), None)
    if ids_name is None or not {"class_names", "scores"} <= names:
        held = ", ".join(sorted(names)[:20]) or "nothing"
        raise InvalidData(f"{path} holds {held}, expected video_id, class_names and scores. Write it by {WRITE_NPZ}.")
    shape, kind = stored_array(path, "scores")
    ids, classes = load_array(path, ids_name), load_array(path, "class_names")
    if not ids.dtype.kind == classes.dtype.kind == "U" or ids.ndim != 1 or classes.ndim != 1:
        raise InvalidData(f"{path}: {ids_name} and class_names must be text of shape (n,). Write it by {WRITE_NPZ}.")
    if shape != (len(ids), len(classes)) or kind.kind not in "fiu":
        raise InvalidData(
            f"{path}: scores are {kind} of shape {shape}, expected numbers of shape {(len(ids), len(classes))}: a row "
            "for each video, a column for each class."
        )
    scores = load_array(path, "scores").astype(np.float64)
    if not np.isfinite(scores).all():
        row = int(np.flatnonzero(~np.isfinite(scores).all(axis=1))[0])
        raise InvalidData(f"{path}: the scores of video {str(ids[row])[:60]!r} hold NaN or infinity.")
    for video, own in zip(ids.tolist(), scores.tolist(), strict=True):
        for name, score in zip(classes.tolist(), own, strict=True):
            yield video, name, score
