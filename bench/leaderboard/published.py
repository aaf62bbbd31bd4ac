"""Figures that papers published: facts with their source, shown beside our tables and never ranked with them.

One YAML file for each task, in `leaderboards/published/`. A published figure has no evidence: nobody can resample it,
compare it query by query, or know every circumstance it was measured under. What is known to differ is named. A table
names the test set it was measured on (`bench list sets`) and what says so, or why that cannot be said.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from bench.data.sets.named import NamedSet, named_set
from bench.errors import InvalidData, UnknownName
from bench.leaderboard.records import Note, reason_of
from bench.reading.outside import read_text
from bench.reading.yaml_files import YAML, NotYaml, parse_yaml
from bench.results import Finite, Int, Record

MeasurementName = Annotated[str, Field(pattern=r"^(t2v|v2t)/(R@[1-9][0-9]{0,3}|MedR|MeanR)$")]
Text = Annotated[str, Field(min_length=1, max_length=150)]
"""Short enough that no page cuts it."""
Figures = dict[MeasurementName, Annotated[Finite, Field(ge=0)]]


class PublishedRow(Record):
    """What one source says about one system."""

    model: Text
    features: Text
    segments: Annotated[str, Field(pattern=r"^(gt|none|uniform-[1-9][0-9]{0,2})$")] | None = Field(
        description="of test videos; null where not stated"
    )
    differs: str = Field(default="", max_length=120, description="what sets this row apart from our protocol")
    values: Figures = Field(min_length=1)
    std: Figures = Field(default_factory=dict, description="deviation over runs, as the source gives it")

    @model_validator(mode="after")
    def _deviations_belong_to_values(self) -> PublishedRow:
        if not set(self.std) <= set(self.values):
            raise ValueError(f"std without a value: {', '.join(sorted(set(self.std) - set(self.values)))}")
        if any(value > 100 for name, value in self.values.items() if "R@" in name):
            raise ValueError("a recall above 100 percent")
        return self


class PublishedTable(Record):
    """The rows of one source on one test set, in its order."""

    title: Text
    paper: Text
    source: Text = Field(description="where in it, or where else the figures were read")
    set: str | None = Field(default=None, description="the named set; null where it cannot be said which")
    set_by: str = Field(default="", max_length=250, description="what says so, or why it cannot be said")
    gallery: Int | None = Field(ge=1, description="videos ranked; null where not stated")
    differs: list[Text] = Field(description="what sets all rows apart from our protocol")
    rows: list[PublishedRow] = Field(min_length=1)

    @model_validator(mode="after")
    def _set_is_known(self) -> PublishedTable:
        try:
            named = self.named_set
        except UnknownName as error:
            raise ValueError(str(error)) from error
        if named and named.part != "test":
            raise ValueError(f"{named.name} is a set for training, and figures are measured on a test set")
        if named and not self.set_by:
            raise ValueError(f"set_by is empty: write what says that these figures are those of {named.name}")
        if named and self.gallery not in (None, named.videos):
            raise ValueError(
                f"gallery {self.gallery:,}, and {named.name} has {named.videos:,} videos: it is another set"
            )
        return self

    @property
    def named_set(self) -> NamedSet | None:
        """The set they were measured on. Raises: UnknownName."""
        return named_set(self.set) if self.set is not None else None

    @property
    def columns(self) -> tuple[str, ...]:
        """The measurements that some row has: by direction, then by K, then ranks."""
        return tuple(sorted({name for row in self.rows for name in row.values}, key=_column_order))


class PublishedTask(Record):
    """All published figures of one task."""

    schema_: Literal["bench-published/1"] = Field(alias="schema")
    task: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    split: Text
    tables: list[PublishedTable] = Field(min_length=1)

    @field_validator("tables")
    @classmethod
    def _titles_differ(cls, tables: list[PublishedTable]) -> list[PublishedTable]:
        places = [(table.title, table.source) for table in tables]
        if len(set(places)) < len(places):
            raise ValueError("two tables have one title and one source")
        return tables


def _column_order(name: str) -> tuple[str, int, int, str]:
    direction, _, metric = name.partition("/")
    k = re.fullmatch(r"R@([0-9]+)", metric)
    return direction, 0 if k else 1, int(k[1]) if k else 0, "".join(reversed(metric))


def read_published(folder: Path) -> tuple[dict[str, PublishedTask], list[Note]]:
    """Returns the published figures in `folder` by task, and why a file is left out: it is no YAML, does not follow the
    schema, or is the second of a task. Nothing where the folder does not exist.
    """
    tasks: dict[str, PublishedTask] = {}
    notes: list[Note] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            task = _read(path)
            if task.task in tasks:
                raise InvalidData(f"{path}: {task.task} has published figures in another file already. Join the two.")
            tasks[task.task] = task
        except Exception as error:  # noqa: BLE001 (a figure somebody mistyped never stops the board)
            notes.append(Note(f"{folder.name}/{path.name}", reason_of(error, path)))
    return tasks, notes


def _read(path: Path) -> PublishedTask:
    try:
        return PublishedTask.model_validate(parse_yaml(read_text(path, YAML)))
    except NotYaml as error:
        raise InvalidData(f"{path} cannot be read as YAML: {error}. Fix the file.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        why = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise InvalidData(f"{path} is no bench-published/1 file: {where}: {why}. Fix it.") from error
