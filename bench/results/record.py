"""What we publish: measurements, the evidence to recompute them, and where they come from. Written once, never edited.

`Result` is versioned JSON (`bench-result/1`); its JSON Schema ships as `bench/schemas/result-1.json`. The board is
built from these records alone, on machines without plugins, datasets or torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator

from bench.errors import InvalidData
from bench.files import PathLike, write_atomically
from bench.reading.outside import JSON, read_content
from bench.results.fields import MOST, FileName, Finite, Int, Record, RunName, Sha256, Unit
from bench.results.provenance import Provenance
from bench.results.signatures import as_of_today

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

SCHEMA = "bench-result/1"


class Bounds(Record):
    """Where a measurement can lie on the whole test set, of which some videos are missing (`bench.metrics.missing`)."""

    present: Finite = Field(description="the value over the videos that are there")
    worst: Finite = Field(description="every missing video is answered wrong and stands before every right one")
    best: Finite = Field(description="every missing video is answered right and stands before none")


BOUNDS = {"present": "of videos that are there", "worst": "missing ones wrong", "best": "missing ones right"}
"""Bounds in words, for people."""


class Measurement(Record):
    """One number with its unit and 95 % interval."""

    name: str = Field(description="such as t2v/R@5; the table's column head")
    value: Finite = Field(description="full precision; rounded only on the page")
    unit: Unit
    higher_is_better: bool | None = Field(description="null where neither is better, as for a length: none is the best")
    ci95: tuple[Finite, Finite] | None = Field(description="95 % interval by resampling videos")
    n: Int = Field(ge=1, description="how many queries, videos or captions it was measured over")
    bounds: Bounds | None = Field(
        default=None, description="where it can lie with the missing videos; null without any"
    )


class File(Record):
    """A file beside the record, with its digest."""

    file: FileName
    sha256: Sha256


class Said(File):
    """What the model said, beside the record."""

    kind: str = Field(
        default="",
        pattern=r"^([a-z][a-z0-9 -]*)?$",
        max_length=100,
        description="which kind of predictions, such as embeddings; empty in records of before it was said",
    )


class Model(Record):
    """The model that ran, with every setting resolved: a file as NAME@sha256:DIGEST, a repository as NAME@COMMIT."""

    name: str
    summary: str
    paper: str
    distribution: str = Field(description="distribution and version that offers it")
    revision: Int
    settings: dict[str, bool | Int | float | str]
    provides: list[str]
    uses_segments: bool
    control: bool
    fingerprint: str = Field(default="", description="what the model states of what it loads beside its settings")


class TaskName(Record):
    """The task that was run."""

    name: str
    version: Int
    dataset: str
    split: str


class Features(Record):
    """The identity of the frame features a result rests on."""

    extractor: str = Field(description="such as C3D-PCA500 or simulated")
    dim: Int
    stride: str = Field(description="frames or seconds from one row to the next, in words; 'unknown' if not stated")
    digest: str = Field(description="SHA-256 as the reader defines it")
    made: dict[str, str] = Field(
        default_factory=dict, description="what made them from videos, where bench did: encoder, sampler and more"
    )


class Missing(Record):
    """Videos without features, and what was done about them."""

    policy: Literal["penalise", "exclude"] = Field(description="never found, or evaluated without them")
    videos: dict[str, Int] = Field(description="how many of each split used; training leaves them out")


class Data(Record):
    """What the numbers were measured on."""

    kind: Literal["real", "simulated", "generated"]
    label: str = Field(description="shown beside every number, such as 'sample (generated)'")
    annotations: dict[str, Sha256] = Field(description="digest of each split used")
    features: Features
    n_expected: Int = Field(description="videos in the test set; of a TREC run, documents")
    n_evaluated: Int = Field(description="those of them that were evaluated; each may have several queries or captions")
    missing: Missing | None = Field(default=None, description="null when every video has features")
    all_zero: dict[str, Int] = Field(
        default={}, description="how many videos of each split used have features that are all zeros"
    )
    remarks: list[str] = Field(default=[], description="what to know beside the score, such as labels seen before")


class Result(Record):
    """One model on one task under one seed."""

    schema_: Literal["bench-result/1"] = Field(default="bench-result/1", alias="schema")
    run: RunName
    model: Model
    task: TaskName
    data: Data
    seed: Int
    status: Literal["complete", "partial"]
    signature: str = Field(description="how the numbers were made; a table ranks only rows with equal signatures")
    primary: str
    measurements: list[Measurement] = Field(max_length=MOST)
    columns: list[Measurement] = Field(
        default_factory=list,
        max_length=MOST,
        description="figures that plugins computed when the run ended; they follow from no evidence and never rank",
    )
    evidence: File
    predictions: Said | None = Field(description="null where similarities computed elsewhere were scored")
    provenance: Provenance

    model_config = ConfigDict(populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _as_of_today(cls, values: Any) -> Any:
        return as_of_today(values) if isinstance(values, dict) else values

    @model_validator(mode="after")
    def _primary_is_measured(self) -> Result:
        names = [m.name for m in [*self.measurements, *self.columns]]
        if self.primary not in [m.name for m in self.measurements]:
            raise ValueError(f"primary {self.primary!r} is not among the measurements")
        if self[self.primary].higher_is_better is None:
            raise ValueError(f"neither more nor less of the primary {self.primary!r} is better: nothing ranks by it")
        if len(set(names)) != len(names):
            raise ValueError("a measurement occurs twice")
        return self

    def __getitem__(self, name: str) -> Measurement:
        """Returns the measurement called `name`. Raises KeyError."""
        for measurement in self.measurements:
            if measurement.name == name:
                return measurement
        raise KeyError(name)

    @property
    def limit(self) -> int | None:
        """The limit on videos it was made under; None without one, also where videos without features are left out."""
        missing = self.data.missing
        left_out = missing.videos.get(self.task.split, 0) if missing and missing.policy == "exclude" else 0
        whole = self.status == "complete" or self.data.n_evaluated + left_out >= self.data.n_expected
        return None if whole else self.data.n_evaluated

    def to_pandas(self) -> DataFrame:
        """Returns a data frame with a row for each measurement."""
        from bench.results.shown import as_frame, measured

        return as_frame([measured(one) for one in [*self.measurements, *self.columns]], ["measurement"])

    def _repr_html_(self) -> str:
        from bench.results.shown import as_html, in_words

        rows = [
            [one.name, in_words(one.value), "{:.1f} to {:.1f}".format(*one.ci95) if one.ci95 else "–", f"{one.n:,}"]
            for one in [*self.measurements, *self.columns]
        ]
        partial = "" if self.status == "complete" else f", {self.status}"
        title = f"{self.model.name}, seed {self.seed}: {self.task.name} on {self.data.label}{partial}"
        notes = [self.signature, *self.data.remarks]
        return as_html(title, ["measurement", "value", "95 % interval", "n"], rows, numbers_from=1, notes=notes)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draws the measurements in the unit of the primary one, with their 95 % intervals, and returns the axes."""
        from bench.results.shown import Interval, draw

        unit = self[self.primary].unit
        intervals = [Interval(one.name, one.value, one.ci95) for one in self.measurements if one.unit == unit]
        return draw(intervals, unit, f"{self.model.name}: {self.task.name} on {self.data.label}", ax)

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=2) + "\n"

    def save(self, path: PathLike) -> None:
        """Writes the record. Raises: SaveError when `path` exists: records are never edited."""
        write_atomically(path, self.to_json().encode(), overwrite=False)

    @classmethod
    def load(cls, path: PathLike) -> Result:
        """Reads a record. Raises: InvalidData when it is missing or does not follow the schema."""
        path = Path(path)
        if path.exists() and not path.is_file():
            raise InvalidData(f"{path} is no file. Name the folder of a run, or the JSON file of a record.")
        try:
            return cls.model_validate_json(read_content(path, JSON, "`bench list runs` shows the runs."))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "record"
            raise InvalidData(f"{path} is not a {SCHEMA} record: {where}: {first['msg']}.") from error

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Returns the JSON Schema of a written record, in which every field is present."""
        draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        return {**draft, **cls.model_json_schema(by_alias=True, mode="serialization")}
