"""The tables and figures of a paper, read from its YAML file (bench-paper/1): facts, and the runs that belong to them.

A table sets numbers beside ours. A figure of embeddings has no numbers: its rows name the runs whose videos are drawn.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from bench.errors import CatalogueError
from bench.plugins.papers import Paper
from bench.reading.numbers import number_of
from bench.reading.yaml_files import NotYaml, parse_yaml
from bench.results import Finite, Record

Text = Annotated[str, Field(min_length=1, max_length=150)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class PaperRow(Record):
    """One system of a table: what was published, and which run stands beside it."""

    system: Text = Field(description="as the paper calls it")
    variant: str = Field(default="", max_length=150, description="what tells it from other rows of the system")
    features: str = Field(default="", max_length=150, description="in the paper's words")
    extractor: str = Field(default="", description="what bench.yaml calls these features; empty: any")
    model: Name | None = None
    task: Text | None = None
    tasks: dict[Name, Text] = Field(
        default_factory=dict, description="where columns come from several tasks: what stands before their / -> task"
    )
    settings: dict[str, bool | int | float | str] = Field(default_factory=dict)
    needs: str = Field(default="", max_length=150, description="why nothing can be run for it")
    differs: list[Text] = Field(default_factory=list, description="differences that no record can tell")
    values: list[Finite | None] = Field(default_factory=list, description="by column; empty: none published")

    @model_validator(mode="after")
    def _has_a_run_or_a_reason(self) -> PaperRow:
        run = self.model is not None and bool(self.all_tasks)
        if run == bool(self.needs):
            raise ValueError("a row has either model and task, or needs")
        if len({task.partition(":")[0] for task in self.all_tasks}) < len(self.tasks) + (self.task is not None):
            raise ValueError("the tasks of a row differ in more than their parameters")
        return self

    @property
    def all_tasks(self) -> tuple[str, ...]:
        """The tasks that its figures come from."""
        return tuple(filter(None, (self.task, *self.tasks.values())))

    def source(self, column: str) -> tuple[str, str]:
        """Returns task (without its parameters) and measurement of a column; no task where it does not matter."""
        before, _, rest = column.partition("/")
        if before in self.tasks:
            return self.tasks[before].partition(":")[0], rest
        return "", column

    @property
    def title(self) -> str:
        return ", ".join(part for part in (self.system, self.variant, self.features) if part)


class PaperTable(Record):
    """One table, its rows in the order of the paper."""

    title: Text
    columns: list[Text] = Field(min_length=1)
    notes: list[Text] = Field(default_factory=list, description="what else sets all rows apart, told below the table")
    rows: list[PaperRow] = Field(min_length=1)

    @model_validator(mode="after")
    def _values_fit_columns(self) -> PaperTable:
        for row in self.rows:
            if row.values and len(row.values) != len(self.columns):
                raise ValueError(f"{row.title}: {len(row.values)} values for {number_of(len(self.columns), 'column')}")
        return self


class PaperFigure(Record):
    """A picture of the video embeddings of some runs by t-SNE, one panel for each row, coloured by class."""

    title: Text
    classes: int = Field(ge=2, le=20, description="how many of the most frequent classes are drawn")
    rows: list[PaperRow] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_no_values(self) -> PaperFigure:
        if any(row.values for row in self.rows):
            raise ValueError("a figure of embeddings has no values to compare")
        return self


class _PaperFile(Record):
    schema_: Literal["bench-paper/1"] = Field(alias="schema")
    tables: dict[Name, PaperTable] = Field(min_length=1)
    figures: dict[Name, PaperFigure] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_differ(self) -> _PaperFile:
        if shared := sorted(set(self.tables) & set(self.figures)):
            raise ValueError(f"{shared[0]!r} is both a table and a figure")
        return self


def read_paper(paper: Paper) -> dict[str, PaperTable | PaperFigure]:
    """Returns the tables and figures of a paper by name.

    Raises: CatalogueError when its plugin ships none that can be read.
    """
    package, _, path = paper.tables.partition(":")
    try:
        text = files(package).joinpath(path).read_text(encoding="utf-8")
        file = _PaperFile.model_validate(parse_yaml(text))
        return {**file.tables, **file.figures}
    except (ImportError, OSError, UnicodeDecodeError, NotYaml) as error:
        reason = " ".join(str(error).split())[:160]
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{'.'.join(map(str, first['loc'])) or 'file'}: {first['msg']}"
    raise CatalogueError(f"paper {paper.name!r}: {paper.tables} is no bench-paper/1 file: {reason}. Fix its plugin.")
