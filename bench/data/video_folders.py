"""The videos of a folder by their ids: how a file is named after its video is said by a pattern such as `{id}.*`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bench.data.digests import check_id
from bench.errors import InvalidData, MissingData
from bench.reading.numbers import number_of

MOVING = "3gp avi flv gif m2ts m4v mkv mov mp4 mpeg mpg mts mxf ogv ts vob webm wmv y4m"
STILL = "bmp jpeg jpg png tif tiff webp"
ENDINGS = frozenset(f"{MOVING} {STILL}".split())
"""What `.*` at the end of a pattern stands for; whatever else videos end in is written out: `{id}.dat`."""


def videos_in(folder: Path, pattern: str) -> dict[str, Path]:
    """Returns the video files of a folder by video id, in the order of ids; hidden files are none.

    Args:
        pattern: from the folder on; `{id}` stands for the id, `*` for anything, `/` for a folder.

    Raises: MissingData when there are none; InvalidData for two files of one id, and for ids that no file may have.
    """
    where = f"{folder} (pattern {pattern!r})"
    if not folder.is_dir():
        raise MissingData(f"{folder}: no such folder of videos. Correct `videos` under `features:` in bench.yaml.")
    files: dict[str, Path] = {}
    twice: list[str] = []
    for video_id, path in sorted(_matching(folder, pattern.split("/"), "")):
        if not _is_video(path, pattern):
            continue
        if check_id(video_id, where) in files:
            twice.append(video_id)
            continue
        files[video_id] = path
    if twice:
        first = twice[0]
        others = [
            path.name for video_id, path in sorted(_matching(folder, pattern.split("/"), "")) if video_id == first
        ]
        raise InvalidData(
            f"{where}: {number_of(len(twice), 'video has', 'videos have')} several files, such as {first!r}: "
            f"{' and '.join(sorted(others))}. Move one away, or say by `id:` in bench.yaml which files are meant, such "
            "as '{id}.mp4'."
        )
    if not files:
        endings = Counter(path.suffix or "no ending" for path in folder.iterdir())
        held = ", ".join(f"{count:,} of {ending}" for ending, count in endings.most_common(3)) or "nothing"
        raise MissingData(
            f"{where}: no such file; the folder holds {held}. Say how videos are named by `id:` in bench.yaml, such as "
            "'video_{id}.mp4' or '{id}/*.avi'."
        )
    return files


def _matching(folder: Path, patterns: list[str], video_id: str) -> list[tuple[str, Path]]:
    """Returns (id, path) of everything below a folder whose name matches, level by level."""
    form = "".join(
        {"{id}": "(?P<id>.+)", "*": ".*"}.get(part, re.escape(part)) for part in re.split(r"(\{id\}|\*)", patterns[0])
    )
    files = []
    for path in folder.iterdir():
        match = None if path.name.startswith(".") else re.fullmatch(form, path.name)
        if match is None:
            continue
        here = match.groupdict().get("id", video_id)
        if len(patterns) == 1:
            files.append((here, path))
        elif path.is_dir():
            files += _matching(path, patterns[1:], here)
    return files


def _is_video(path: Path, pattern: str) -> bool:
    known = not pattern.endswith(".*") or path.suffix[1:].lower() in ENDINGS
    return known and not path.is_dir()


def are_stills(paths: Iterable[Path]) -> bool:
    """Whether all files are still images by their names, so that nothing but images has to be read."""
    return all(path.suffix[1:].lower() in STILL.split() for path in paths)
