"""Official lists of recognition datasets: which class each video of a split has.

    Class/v_Class_g01_c01.avi 1                        .txt, UCF101: trainlist01 and testlist01, with or without number
    label,youtube_id,time_start,time_end,split         .csv, Kinetics; clips are named youtube_id_000010_000020

A video is named by its file without folder and extension.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from bench.data.readers.csv_files import read_table
from bench.errors import InvalidData
from bench.reading.numbers import whole_in
from bench.reading.outside import read_text, shown

KINETICS = ("label", "youtube_id", "time_start", "time_end")
UCF101 = re.compile(r"(?P<name>[^/\s]+)/(?P<file>[^/\s]+)( [0-9]+)?")
HMDB51 = re.compile(r"[^/]+\.avi +[012]")


def listed_classes(path: Path) -> list[tuple[str, str]]:
    """Returns each video of a list with its class, in the order of the file. Raises: MissingData, InvalidData."""
    listed = _kinetics(path) if path.name.lower().removesuffix(".gz").endswith(".csv") else _ucf101(path)
    seen: set[str] = set()
    for video, _ in listed:
        if video in seen:
            raise InvalidData(f"{path}: video {video[:60]!r} occurs twice. Leave one line of it.")
        seen.add(video)
    if not listed:
        raise InvalidData(f"{path} lists no videos. Name another file.")
    return listed


def _kinetics(path: Path) -> list[tuple[str, str]]:
    listed = []
    for number, row in enumerate(read_table(path, KINETICS), start=2):
        times = [whole_in(row[name]) for name in KINETICS[2:]]
        if not row["label"] or any(time is None for time in times):
            raise InvalidData(f"{path} row {number}: expected a label, and whole seconds in time_start and time_end.")
        listed.append(("_".join([row["youtube_id"], *(f"{time:06d}" for time in times)]), row["label"]))
    return listed


def _ucf101(path: Path) -> list[tuple[str, str]]:
    listed = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        match = UCF101.fullmatch(line.strip())
        if match is None:
            other = HMDB51.fullmatch(line.strip())
            advice = (
                "HMDB51 has such a file for each class: docs/files.md has the lines that write labels.csv of all."
                if other
                else "Expected Class/video.avi, as in the lists of UCF101."
            )
            raise InvalidData(f"{path}:{number}: {shown(line.strip())}. {advice}")
        listed.append((PurePosixPath(match["file"]).stem, match["name"]))
    return listed
