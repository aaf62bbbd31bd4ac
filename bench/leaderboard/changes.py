"""What changed between two builds, from their tables alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from bench.errors import InvalidData, UsageError
from bench.leaderboard.pages.wording import plain
from bench.reading.outside import JSON, read_content
from bench.results import Finite


class _Value(BaseModel):
    mean: Finite


class _Row(BaseModel):
    key: str
    model: str
    remarks: list[str]
    status: str
    tier: int | None
    seeds: list[int]
    values: dict[str, _Value]

    @property
    def name(self) -> str:
        return plain(" ".join([self.model, *(f"({remark})" for remark in self.remarks)]))


class _Table(BaseModel):
    task: str
    signature: str
    primary: str
    rows: list[_Row]


def changes(old: Path, new: Path) -> list[str]:
    """Returns one line for each row that came, went or changed, table by table.

    Raises: UsageError when a folder holds no build, InvalidData when a table in it cannot be read.
    """
    before, after = _tables(old), _tables(new)
    lines = []
    for signature in sorted({*before, *after}):
        a, b = before.get(signature), after.get(signature)
        table = plain((b or a or _Table(task="", signature="", primary="", rows=[])).signature)
        changed = _changed_rows(_by_key(a), _by_key(b))
        lines += [f"{table}: {line}" for line in changed]
    return lines


def _by_key(table: _Table | None) -> dict[str, _Row]:
    return {row.key: row for row in table.rows} if table else {}


def _tables(folder: Path) -> dict[str, _Table]:
    if not (folder / "index.html").is_file():
        raise UsageError(f"{folder} holds no built leaderboard (no index.html). Name the folder of its pages.")
    tables = {}
    for path in sorted((folder / "tables").glob("*.json")):
        try:
            table = _Table.model_validate_json(read_content(path, JSON))
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise InvalidData(f"{path} is no bench-table/1 file: {reason}. Build it again.") from error
        tables[f"{table.signature} {table.primary} {path.name}"] = table
    return tables


def _changed_rows(before: dict[str, _Row], after: dict[str, _Row]) -> list[str]:
    lines = []
    for key in sorted({*before, *after}, key=lambda key: (after.get(key) or before[key]).name):
        a, b = before.get(key), after.get(key)
        if a is None or b is None:
            row: Any = b or a
            lines.append(f"{'new' if a is None else 'gone'}: {row.name}")
            continue
        for what, was, now in (("status", a.status, b.status), ("tier", a.tier, b.tier), ("seeds", a.seeds, b.seeds)):
            if was != now:
                lines.append(f"{b.name}: {what} {was} → {now}")
        for name in dict.fromkeys([*a.values, *b.values]):
            first, second = (row.values[name].mean if name in row.values else None for row in (a, b))
            if first != second:
                lines.append(f"{b.name}: {plain(name)} {_shown(first)} → {_shown(second)}")
    return lines


def _shown(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.6g}"
