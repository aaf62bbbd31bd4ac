"""Progress in Python sessions: bars in notebooks and terminals, a plain line a minute elsewhere."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

from bench.runs.progress import Lines


class Progress:
    """A reporter for `bench.run(…, reporter=bench.Progress())`: a bar for each stage.

    In a notebook with ipywidgets it is a widget, without them a bar of characters. Where there is neither a notebook
    nor a terminal, it is a line a minute on stderr.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._stage = ""
        shown = sys.stderr.isatty() or _in_a_kernel()
        self._lines = None if shown else Lines(partial(print, file=sys.stderr, flush=True))

    def step(self, stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
        """Moves the bar of a stage; a new stage replaces it."""
        if self._lines is not None:
            self._lines.step(stage, done, total, values)
            return
        if self._bar is None or stage != self._stage or done < self._bar.n:
            self.close()
            self._stage, self._bar = stage, _bar(stage, done, total)
        self._bar.set_postfix({name: f"{value:.4g}" for name, value in values.items()}, refresh=False)
        self._bar.update(done - self._bar.n)
        if done >= total:
            self.close()

    def say(self, line: str) -> None:
        """Writes a line above the bar."""
        if self._lines is not None:
            self._lines.say(line)
            return
        from tqdm.auto import tqdm

        tqdm.write(line, file=sys.stderr)

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None


def _in_a_kernel() -> bool:
    """Whether this is a notebook's process; that a library loaded ipykernel says nothing."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


def _bar(stage: str, done: int, total: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there are no ipywidgets: the bar of characters is one
        from tqdm.auto import tqdm
    return tqdm(desc=stage, initial=done, total=total, leave=False, file=sys.stderr)
