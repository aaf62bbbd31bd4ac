"""Records become pages: reads result JSON and evidence files and nothing else; deterministic to the byte.

The package is also a function: `bench.leaderboard(folder)` returns a board's tables.
"""

import sys
from types import ModuleType

from bench.files import PathLike, as_path
from bench.leaderboard.building import BuildReport, Sources, build
from bench.leaderboard.opened import Leaderboard, RankedTable, open_board
from bench.leaderboard.records import Note

__all__ = ["BuildReport", "Leaderboard", "Note", "RankedTable", "Sources", "build"]


class _Callable(ModuleType):
    """This package as a function. `bench.leaderboard` can have one value only, and importing a part sets it to this."""

    def __call__(self, folder: PathLike) -> Leaderboard:
        """Returns the tables of a board's folder, or of any folder of runs, ranked as `bench leaderboard build` does.

        Args:
            folder: text or a path object.

        Raises: BenchError.
        """
        return open_board(as_path("folder", folder))


sys.modules[__name__].__class__ = _Callable
