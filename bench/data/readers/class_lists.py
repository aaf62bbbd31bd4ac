"""Official lists of recognition datasets: which class each video of a split has.

    Class/v_Class_g01_c01.avi 1                        .txt, UCF101: trainlist01 and testlist01, with or without number
    label,youtube_id,time_start,time_end,split         .csv, Kinetics; clips are named youtube_id_000010_000020
    FOLDER/class_test_split1.txt: video.avi 1          HMDB51; 1 is for training, 2 for testing, 0 for neither

A video is named by its file without folder and extension.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from bench.data.readers.csv_files import read_table
from bench.errors import InvalidData, MissingData
from bench.reading.numbers import whole_in
from bench.reading.outside import read_text, shown

KINETICS = ("label", "youtube_id", "time_start", "time_end")
NO_LABEL = "Kinetics' first test lists name no classes: take validate.csv or val.csv, or a later test list."
UCF101 = re.compile(r"(?P<name>[^/\s]+)/(?P<file>[^/\s]+)( [0-9]+)?")
NUMBERED = re.compile(r"[0-9]+ \S+")
HMDB51 = re.compile(r"(?P<file>[^/]+\.avi) +(?P<use>[012])")
HMDB51_FILES = re.compile(r"(?P<name>.+)_test_(?P<part>split[0-9])\.txt")


def listed_classes(path: Path) -> list[tuple[str, str]]:
    """Returns each video of a list with its class, in the order of the file. Raises: MissingData, InvalidData."""
    return _once(path, _kinetics(path) if path.name.lower().removesuffix(".gz").endswith(".csv") else _ucf101(path))


def hmdb51_classes(folder: Path, part: str, *, training: bool) -> list[tuple[str, str]]:
    """Returns each video of one of HMDB51's splits with its class; the lists of all classes lie in a folder.

    Raises: MissingData without such lists; InvalidData for a line that is none, and for a part that is not there.
    """
    lists = hmdb51_parts(folder)
    if part not in lists:
        raise InvalidData(f"{folder} holds the parts {', '.join(lists)}. Say part: split1, or another of them.")
    listed = []
    for name, path in lists[part]:
        for number, line in enumerate(read_text(path).splitlines(), 1):
            match = HMDB51.fullmatch(line.strip())
            if line.strip() and match is None:
                raise InvalidData(
                    f"{path}:{number}: {shown(line.strip())}. Expected 'video.avi 0', 1 or 2, as of HMDB51."
                )
            if match is not None and match["use"] == ("1" if training else "2"):
                listed.append((PurePosixPath(match["file"]).stem, name))
    return _once(folder, listed)


def hmdb51_parts(folder: Path) -> dict[str, list[tuple[str, Path]]]:
    """Returns the lists in a folder: part -> each class with its file. Raises: MissingData where there are none."""
    lists: dict[str, list[tuple[str, Path]]] = {}
    for path in sorted(folder.glob("*_test_split?.txt")):
        if (match := HMDB51_FILES.fullmatch(path.name)) is not None:
            lists.setdefault(match["part"], []).append((match["name"], path))
    if not lists:
        raise MissingData(f"{folder} is a folder without lists of HMDB51 (CLASS_test_split1.txt). Name a file in it.")
    return dict(sorted(lists.items()))


def _once(path: Path, listed: list[tuple[str, str]]) -> list[tuple[str, str]]:
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
    table = read_table(path, ())
    columns = set(table[0]) if table else set()
    if columns >= set(KINETICS[1:]) and not any(row.get("label") for row in table):
        raise InvalidData(f"{path}: no row has a label. {NO_LABEL}")
    for number, row in enumerate(read_table(path, KINETICS), start=2):
        times = [whole_in(row[name].removesuffix(".0")) for name in KINETICS[2:]]
        if not row["label"]:
            raise InvalidData(f"{path} row {number}: video {row['youtube_id'][:60]!r} has no label. Leave the row out.")
        if None in times:
            raise InvalidData(f"{path} row {number}: expected whole seconds in time_start and time_end.")
        listed.append(("_".join([row["youtube_id"], *(f"{time:06d}" for time in times)]), row["label"]))
    return listed


def _ucf101(path: Path) -> list[tuple[str, str]]:
    listed = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        match = UCF101.fullmatch(line.strip())
        if match is None:
            advice = "Expected Class/video.avi, as in the lists of UCF101."
            if HMDB51.fullmatch(line.strip()):
                advice = "HMDB51 has such a file for each class: name their folder, and the part (split1)."
            elif NUMBERED.fullmatch(line.strip()):
                advice = "A list of classes by number names no videos: name trainlist01.txt or testlist01.txt."
            raise InvalidData(f"{path}:{number}: {shown(line.strip())}. {advice}")
        listed.append((PurePosixPath(match["file"]).stem, match["name"]))
    return listed
