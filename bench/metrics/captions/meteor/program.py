"""METEOR 1.5 (English, `-norm`) as its authors wrote it: the Java program that pycocoevalcap brings, the reference.

The program takes seconds to load its paraphrases. Who scores one set of captions after another starts it once:
`started_once`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType

import numpy as np

from bench.errors import ToolError
from bench.metrics.captions.java import PATIENCE, JavaLines, jar
from bench.metrics.captions.meteor.formula import COLUMNS, without_whole_chunks


class _KeptProgram:
    """A place for a METEOR that waits for the next questions."""

    program: JavaLines | None = None


_KEPT: ContextVar[_KeptProgram | None] = ContextVar("kept METEOR", default=None)


@contextmanager
def started_once() -> Iterator[None]:
    """Within this context METEOR is started for the first captions and asked about all others; then it is ended."""
    kept = _KeptProgram()
    token = _KEPT.set(kept)
    try:
        yield
    finally:
        _KEPT.reset(token)
        if kept.program is not None:
            kept.program.__exit__(None, None, None)


class MeteorProgram:
    """METEOR at work on pairs of a caption and its references, all tokenised. Use it as a context."""

    def __init__(self, pairs: Sequence[tuple[str, Sequence[str]]], patience: float = PATIENCE) -> None:
        lines = [request(caption, references) for caption, references in pairs]
        self._distinct = list(dict.fromkeys(lines))
        numbers = {line: number for number, line in enumerate(self._distinct)}
        self._places = np.array([numbers[line] for line in lines], dtype=np.int64)
        self._patience = patience
        self._answered = False

    def __enter__(self) -> MeteorProgram:
        kept = _KEPT.get()
        if kept is not None and kept.program is not None:
            self._program, kept.program = kept.program, None
        else:
            program = ("-jar", str(jar("meteor", "meteor-1.5.jar")), "-", "-", "-stdio", "-l", "en", "-norm")
            self._program = JavaLines("METEOR", program, self._patience).__enter__()
        self._program.send(self._distinct, last=kept is None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        kept = _KEPT.get()
        if kept is not None and self._answered:
            kept.program = self._program
        else:
            self._program.__exit__(kind, error, trace)

    def counts(self) -> np.ndarray:
        """Returns (n, 23) int64 as `COLUMNS` says, one row for each pair. Raises: ToolError when METEOR fails."""
        answers = self._program.answers(len(self._distinct))
        try:
            rows = [[int(float(number)) for number in answer.split()] for answer in answers]
            counted = np.array(rows, dtype=np.int64).reshape(len(rows), COLUMNS)
        except ValueError as error:
            raise ToolError(f"METEOR gave other than {COLUMNS} numbers for a caption ({error}).") from error
        self._answered = True
        return np.asarray(without_whole_chunks(counted)[self._places])


def request(caption: str, references: Sequence[str]) -> str:
    """Returns the line that asks about a caption."""
    return " ||| ".join(["SCORE", *map(one_field, (*references, caption))])


def one_field(text: str) -> str:
    """Returns a text as the program is given it: '|||' parts its fields. pycocoevalcap too takes it out of captions."""
    return text.replace("|||", "").replace("  ", " ")
