"""What a board is: tables of rows of cells, all frozen; filled by `tables`, shown by `html`, `markdown` and others."""

from __future__ import annotations

from dataclasses import dataclass

from bench.evidence.kinds import Kind
from bench.leaderboard.published import PublishedTask
from bench.leaderboard.records import Entry, Note

KINDS = ("real", "simulated", "generated")


@dataclass(frozen=True)
class Cell:
    """One measurement of a row over its seeds.

    Attributes:
        mean: over seeds.
        std: sample standard deviation over seeds; None for one seed.
        ci95: 95 % interval by resampling videos: of the one seed, or the mean of the ends over seeds; None if unknown.
        best: whether no other row of the table is better.
    """

    mean: float
    std: float | None
    ci95: tuple[float, float] | None
    best: bool = False


@dataclass(frozen=True)
class Column:
    """A measurement that at least one row has.

    Attributes:
        higher_is_better: None where neither is: no cell is the best.
    """

    name: str
    unit: str
    higher_is_better: bool | None


@dataclass(frozen=True)
class Row:
    """A model under one choice of settings.

    Attributes:
        key: names the row in links: letters, digits and dashes.
        model: its name.
        summary, paper: as its plugin states them.
        control: shown shaded.
        remarks: what tells this row from others of the same model, such as `low=weak`.
        settings: every setting, `name=value`.
        seeds: the seeds it was run with.
        cells: one for each column of the table; None where not measured.
        from_segments: the segment source of its runs where it differs from the table's, else "".
        entries: its records, by seed.
        status: the least of theirs, see `bench.leaderboard.checks`.
        tier: from 1; rows of one tier are not told apart by this test set. None where it was not computed.
        ranks: the first and last rank that the row may have in its table, with 95 %; None where it was not computed.
    """

    key: str
    model: str
    summary: str
    paper: str
    control: bool
    remarks: tuple[str, ...]
    settings: tuple[str, ...]
    seeds: tuple[int, ...]
    cells: tuple[Cell | None, ...]
    from_segments: str
    entries: tuple[Entry, ...]
    status: str
    tier: int | None = None
    ranks: tuple[int, int] | None = None


@dataclass(frozen=True)
class Neighbours:
    """Two rows, one below the other, that a test set does not tell apart.

    Attributes:
        better, worse: the rows' keys.
        difference: of their primary measurement, in its unit; not negative.
        needed: how many videos like these would show it in four of five repetitions; infinite for no difference.
    """

    better: str
    worse: str
    difference: float
    needed: float


@dataclass(frozen=True)
class Resolution:
    """What a table's test set can show of the primary measurement, judged by how much neighbouring rows disagree.

    Attributes:
        detectable: the smallest difference that is seen in four of five repetitions, in the unit of the measurement.
        neighbours: those that are not told apart, best first.
    """

    detectable: float
    neighbours: tuple[Neighbours, ...]


@dataclass(frozen=True)
class Table:
    """Rows with one signature, best first by the primary measurement.

    Attributes:
        key: names the table in links and file names: letters, digits and dashes.
        kind: of the evidence of its records, which words, draws and compares them.
        n: how many videos were tested on.
        tested: the same in words, with the number of queries where they are not as many.
        certain: why columns are empty that would be the same for every model on this test set.
        resolution: None where rows cannot be compared query by query, or do not differ.
        beside: what all its records say beside their scores, such as what the features were trained on.
    """

    key: str
    signature: str
    parts: dict[str, str]
    label: str
    kind: Kind
    n: int
    primary: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    tested: str
    certain: tuple[str, ...] = ()
    resolution: Resolution | None = None
    beside: tuple[str, ...] = ()

    @property
    def place(self) -> int:
        """The place of the primary measurement among the columns."""
        return next(i for i, column in enumerate(self.columns) if column.name == self.primary)


@dataclass(frozen=True)
class Section:
    """All tables of one kind of data: real, simulated and generated data never share a table."""

    kind: str
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Board:
    """All there is to show about one task: what was measured, and what papers published."""

    task: str
    sections: tuple[Section, ...]
    partial: tuple[Note, ...]
    published: PublishedTask | None = None

    @property
    def tables(self) -> tuple[Table, ...]:
        """Its tables, section by section."""
        return tuple(table for section in self.sections for table in section.tables)
