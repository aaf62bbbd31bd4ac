"""Tables in CSV files, plain or gzip: a head, one row a line, and columns that must be there."""

from __future__ import annotations

import csv
from collections.abc import Collection
from io import StringIO
from pathlib import Path

from bench.errors import InvalidData
from bench.reading.outside import CSV, read_text, reading, shown

Row = dict[str, str]
"""Column -> text, which is empty where a row is too short."""


def read_table(path: Path, columns: Collection[str]) -> list[Row]:
    """Returns the rows of a table. Raises: MissingData; InvalidData for a file that is no text or lacks a column."""
    text = read_text(path, CSV)
    with reading(path, CSV):
        table = csv.DictReader(StringIO(text, newline=""), restval="")
        names = list(table.fieldnames or ())
        rows = list(table)
    lacking = sorted(set(columns) - set(names))
    if lacking:
        held = ", ".join(shown(name) for name in names[:10]) or "none"
        raise InvalidData(f"{path}: no column {', '.join(lacking)}. Columns: {held}.")
    return [{name: row[name] for name in names} for row in rows]
