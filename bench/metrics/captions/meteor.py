"""METEOR 1.5 (English, `-norm`): the Java program counts what each caption shares with its best reference.

Its formula is applied here, so that the score of any set of items follows from the added counts.

The program takes seconds to load its paraphrases: start it first, score the rest, then ask for its answers. Who scores
one set of captions after another starts it once: `started_once`.

Source: Denkowski and Lavie, WMT 2014; parameters of the task `rank` for English.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType

import numpy as np

from bench.errors import ToolError
from bench.metrics.captions.java import PATIENCE, JavaLines, jar

COLUMNS = 23
"""Words of caption and reference, function words of both; for exact, stem, synonym and paraphrase matches the content
words of both and the function words of both; chunks (0 where caption and reference are the same in one chunk); matched
words of both."""
_CHUNKS = 20
ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75
WEIGHTS = (1.0, 0.6, 0.8, 0.6)
"""Of exact, stem, synonym and paraphrase matches."""


class _Kept:
    """A place for a METEOR that waits for the next questions."""

    program: JavaLines | None = None


_KEPT: ContextVar[_Kept | None] = ContextVar("kept METEOR", default=None)


@contextmanager
def started_once() -> Iterator[None]:
    """Within this context METEOR is started for the first captions and asked about all others; then it is ended."""
    kept = _Kept()
    token = _KEPT.set(kept)
    try:
        yield
    finally:
        _KEPT.reset(token)
        if kept.program is not None:
            kept.program.__exit__(None, None, None)


class Meteor:
    """METEOR at work on pairs of a caption and its references, all tokenised. Use it as a context."""

    def __init__(self, pairs: Sequence[tuple[str, Sequence[str]]], patience: float = PATIENCE) -> None:
        lines = [_request(caption, references) for caption, references in pairs]
        self._distinct = list(dict.fromkeys(lines))
        numbers = {line: number for number, line in enumerate(self._distinct)}
        self._places = np.array([numbers[line] for line in lines], dtype=np.int64)
        self._patience = patience
        self._answered = False

    def __enter__(self) -> Meteor:
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
            found = np.array(rows, dtype=np.int64).reshape(len(rows), COLUMNS)
        except ValueError as error:
            raise ToolError(f"METEOR gave other than {COLUMNS} numbers for a caption ({error}).") from error
        whole = (found[:, 4:20:2].sum(axis=1) == found[:, 0]) & (found[:, 5:20:2].sum(axis=1) == found[:, 1])
        self._answered = True
        # the program adds up counts of such items without their chunk, and gives them themselves no penalty
        found[whole & (found[:, _CHUNKS] == 1), _CHUNKS] = 0
        return np.asarray(found[self._places])


def meteor(counts: np.ndarray) -> np.ndarray:
    """Returns (...) float64 METEOR, 0 to 1, of added counts (..., 23)."""
    c = counts.astype(np.float64)
    mine = _weighted(c[..., 4:20:4], c[..., 6:20:4])
    theirs = _weighted(c[..., 5:20:4], c[..., 7:20:4])
    with np.errstate(divide="ignore", invalid="ignore"):  # no words or no matches: 0, as in the program
        precision = mine / (DELTA * (c[..., 0] - c[..., 2]) + (1.0 - DELTA) * c[..., 2])
        recall = theirs / (DELTA * (c[..., 1] - c[..., 3]) + (1.0 - DELTA) * c[..., 3])
        mean = 1.0 / ((1.0 - ALPHA) / precision + ALPHA / recall)
        fragments = c[..., _CHUNKS] / ((c[..., 21] + c[..., 22]) / 2.0)
    with np.errstate(invalid="ignore"):
        score = mean * (1.0 - GAMMA * fragments**BETA)
    return np.asarray(np.where(np.isnan(score), 0.0, np.maximum(score, 0.0)))


def _weighted(content: np.ndarray, function: np.ndarray) -> np.ndarray:
    """Returns (...) matched words, each weighted by how it matched; in the program's order of adding."""
    total = np.zeros(content.shape[:-1])
    for words, share in ((content, DELTA), (function, 1.0 - DELTA)):
        for stage, weight in enumerate(WEIGHTS):
            total = total + words[..., stage] * weight * share
    return total


def _request(caption: str, references: Sequence[str]) -> str:
    # '|||' parts the fields; pycocoevalcap too takes it out of captions
    return " ||| ".join(["SCORE", *(text.replace("|||", "").replace("  ", " ") for text in (*references, caption))])
