"""Studies: models, settings, tasks and seeds as cells that any scheduler can run one by one, in any order and again."""

from bench.study.cells import StudyCell, StudyCells, read_cells, write_cells
from bench.study.expanding import Asked, expanded
from bench.study.running import CellOutcome, Ledger, run_cell

__all__ = [
    "Asked",
    "CellOutcome",
    "Ledger",
    "StudyCell",
    "StudyCells",
    "expanded",
    "read_cells",
    "run_cell",
    "write_cells",
]
