"""Relevance judgements in TREC form, `text 0 video grade`, one pair a line: which videos are right for which texts.

Grades above 0 are right, and are what nDCG counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from bench.errors import InvalidData
from bench.reading.outside import read_text

GRADE = re.compile(r"-?[0-9]{1,9}")


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Returns the grade of each video that was judged for a text, by text, in the order of the file.

    Raises: MissingData when the file is not there; InvalidData for a line that is none, or a pair given twice.
    """
    judged: dict[str, dict[str, int]] = {}
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
        if video in judged.setdefault(text, {}):
            raise InvalidData(f"{path}:{number}: text {text[:60]!r} and video {video[:60]!r} were judged before.")
        judged[text][video] = int(grade)
    return judged


def right_of(judged: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Returns the right videos of each text that was judged, with their grades."""
    return {text: {video: grade for video, grade in own.items() if grade > 0} for text, own in judged.items()}
