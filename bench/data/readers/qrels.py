"""Relevance judgements in TREC form, `text 0 video grade`, one pair a line: which videos are right for which texts.

Grades above 0 are right, and are what nDCG counts.
"""

from __future__ import annotations

import re
from pathlib import Path

from bench.errors import InvalidData
from bench.reading.outside import read_text

GRADE = re.compile(r"-?[0-9]{1,9}")


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Returns the right videos of each text with their grades, in the order of the file: those of a grade above 0.

    Raises: MissingData when the file is not there; InvalidData for a line that is none, or a pair given twice.
    """
    right: dict[str, dict[str, int]] = {}
    seen: set[tuple[str, str]] = set()
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        fields = line.split()
        if len(fields) != 4 or not GRADE.fullmatch(fields[3]):
            raise InvalidData(
                f"{path}:{number}: {line.strip()[:60]!r} is no judgement. Write four fields: TEXT 0 VIDEO GRADE, "
                "the grade a whole number, above 0 where the video is right."
            )
        text, _, video, grade = fields
        if (text, video) in seen:
            raise InvalidData(f"{path}:{number}: text {text[:60]!r} and video {video[:60]!r} were judged before.")
        seen.add((text, video))
        right.setdefault(text, {})
        if int(grade) > 0:
            right[text][video] = int(grade)
    return right
