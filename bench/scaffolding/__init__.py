"""Writes what others begin with: the package of a new plugin, and the repository of a leaderboard of one's own."""

from bench.scaffolding.board import write_board
from bench.scaffolding.writing import KINDS, write_package

__all__ = ["KINDS", "write_board", "write_package"]
