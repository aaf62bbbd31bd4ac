"""Studies: models, settings, tasks and seeds as cells that any scheduler can run one by one, in any order and again."""

from bench.study.cells import Cell, Cells, read_cells, write_cells
from bench.study.expanding import Asked, expanded
from bench.study.running import Ledger, Outcome, run_cell

__all__ = ["Asked", "Cell", "Cells", "Ledger", "Outcome", "expanded", "read_cells", "run_cell", "write_cells"]
