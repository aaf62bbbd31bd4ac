"""Lists of video ids: JSON, the column video_id of a .csv table, or the lines of a .txt file; plain or gzip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.data.readers.csv_files import read_table
from bench.data.readers.json_files import read_json
from bench.reading.outside import read_text


def listed_ids(path: Path) -> Any:
    """Returns the ids in a file; of JSON whatever it holds. Raises: MissingData, InvalidData."""
    suffix = path.name.lower().removesuffix(".gz")
    if suffix.endswith(".csv"):
        return [row["video_id"] for row in read_table(path, ("video_id",))]
    if suffix.endswith(".txt"):
        return [line.strip() for line in read_text(path).splitlines() if line.strip()]
    return read_json(path, "a JSON list of video ids")
