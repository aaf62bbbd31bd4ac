"""A model's own code runs between guards: seeded, its mistakes in one line, what it changes put back."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError, ModelError, out_of_memory
from bench.files import write_atomically
from bench.plugins.global_state import RANDOM_STATES, undisturbed

if TYPE_CHECKING:
    from bench.runs.progress import Reporter


@dataclass(frozen=True)
class Guard:
    """Runs the code of one model.

    Attributes:
        model: its name.
        seed: seeds the generators of python, numpy and torch before each action, for models that draw from them.
        folder: the run's folder, where a traceback goes when the model fails.
        log: told what the model changed that is not its own.
        smaller: what needs less memory, in words, by action; under "" for every other action.
    """

    model: str
    seed: int
    folder: Path
    log: Reporter
    smaller: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def during(self, action: str) -> Iterator[None]:
        """Turns an exception of the model's own code into ModelError; our own errors and Ctrl-C pass.

        The random states, the working directory and torch's defaults are put back; what it prints goes to stderr.
        """
        try:
            with undisturbed(seed=self.seed) as left:
                yield
        except BenchError:
            raise
        except Exception as error:
            trace = self.folder / "traceback.txt"
            write_atomically(trace, traceback.format_exc().encode())
            reason = " ".join(str(error).split()) or "no message"
            if out_of_memory(error):
                raise ModelError(
                    f"model {self.model!r} ran out of memory trying to {action}. Use "
                    f"{self.smaller.get(action) or self.smaller.get('', 'less data: --limit')}, or a device with more "
                    f"memory. {type(error).__name__}: {reason} The traceback is in {trace}."
                ) from error
            raise ModelError(
                f"model {self.model!r} failed to {action}: {type(error).__name__}: {reason}. "
                f"The traceback is in {trace}."
            ) from error
        if changed := [name for name in left.changed if name not in RANDOM_STATES]:
            self.log.say(f"model {self.model!r} changed {', '.join(changed)} in order to {action}; put back")
