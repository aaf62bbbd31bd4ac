"""What a user asks of a run beside model and task: said by a command, from Python, or by a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import SaveError, UsageError
from bench.execution import Precision
from bench.reading.outside import regular_file

if TYPE_CHECKING:
    from bench.catalogue.config import Config
    from bench.results import Result


@dataclass(frozen=True)
class Request:
    """What the user asked for beside model and task.

    Attributes:
        output: the folder that holds runs and checkpoints.
        settings: model settings the user chose.
        seed: seeds training and everything random.
        device: `auto`, `cpu`, `cuda` or `cuda:i`.
        precision: `fp32` or `bf16`.
        batch_size: videos or paragraphs per batch when predicting.
        limit: at most this many videos of every split, or None; the result is then partial and never ranked.
        checkpoint: a checkpoint to use instead of fitting.
        word_vectors: GloVe text file, or None for random vectors.
        text: a text encoder that models read sentences by where they can and nothing else is said; "" for none.
        resume: reuse what an earlier run of the same request left.
        checkpoint_minutes: between two saves of an unfinished fit; None for one after every epoch.
        command: what the user typed, for the record.
        ranks: processes that fit one model together.
        config: the bench.yaml, for those that read it again; None for the packaged default.
    """

    output: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    seed: int = 0
    device: str = "auto"
    precision: Precision = "fp32"
    batch_size: int = 64
    limit: int | None = None
    checkpoint: Path | None = None
    word_vectors: Path | None = None
    text: str = ""
    resume: bool = True
    checkpoint_minutes: float | None = 5.0
    command: tuple[str, ...] = ()
    ranks: int = 1
    config: Path | None = None

    @classmethod
    def under(cls, config: Config, output: Path | None = None) -> Request:
        """Returns what is asked for when nothing is said: the places that a configuration names, and defaults.

        Args:
            output: another folder for runs and checkpoints.
        """
        return cls(output=output or config.runs, word_vectors=config.word_vectors, text=config.text, config=config.path)

    @classmethod
    def of(cls, result: Result, output: Path) -> Request:
        """Returns what a finished run was asked for, as its record says it; the places of files it does not say."""
        return cls(
            output=output,
            settings=result.model.settings,
            seed=result.seed,
            precision="bf16" if result.provenance.precision == "bf16" else "fp32",
            batch_size=result.provenance.batch_size,
            limit=result.limit,
            command=tuple(result.provenance.command),
        )

    def check(self) -> None:
        """Raises UsageError for a number that cannot be meant."""
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"--limit {self.limit}: at least 1 video must be left.")
        if self.batch_size < 1:
            raise UsageError(f"--batch-size {self.batch_size}: must be at least 1.")
        if self.ranks < 1:
            raise UsageError(f"--ranks {self.ranks}: must be at least 1.")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"--seed {self.seed}: must be between 0 and {2**32 - 1}.")

    def check_places(self) -> None:
        """Makes the folder of runs. Raises: SaveError where it cannot be made; DataError without the word vectors."""
        if self.word_vectors:
            regular_file(self.word_vectors, "Fix word_vectors in bench.yaml, or set it to null.")
        try:
            self.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SaveError(f"cannot write to {self.output}: {error.strerror}. Choose another --output.") from error
