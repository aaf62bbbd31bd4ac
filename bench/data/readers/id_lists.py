"""Lists of video ids: JSON, the column video_id of a .csv table, or the lines of a .txt file; plain or gzip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.data.readers.csv_files import read_table
from bench.data.readers.json_files import read_json
from bench.reading.outside import read_text

WITH_TEXTS = frozenset({"caption", "sentence", "description"})


def listed_ids(path: Path) -> Any:
    """Returns the ids in a file; of JSON whatever it holds. Raises: MissingData, InvalidData."""
    suffix = path.name.lower().removesuffix(".gz")
    if suffix.endswith(".csv"):
        return [row["video_id"] for row in read_table(path, ("video_id",))]
    if suffix.endswith(".txt"):
        return [line.strip() for line in read_text(path).splitlines() if line.strip()]
    return read_json(path, "a JSON list of video ids")


def only_ids(path: Path) -> list[str] | None:
    """Returns the ids in a file that lists videos and says nothing of them; None for one that says more.

    Raises: MissingData, InvalidData.
    """
    suffix = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if suffix == "csv":
        table = read_table(path, ())
        columns = set(table[0]) if table else set()
        alone = "video_id" in columns and not {name.lower() for name in columns} & WITH_TEXTS
        return [row["video_id"] for row in table] if alone else None
    listed = listed_ids(path)
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        return None
    return None if suffix == "txt" and any(len(one.split()) > 1 for one in listed) else listed
