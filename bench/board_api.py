"""What an exporter of leaderboards is given, promised to stay: a `Board` for each task."""

from __future__ import annotations

from bench.leaderboard.board import Board, Cell, Column, Row, Section, Table

__all__ = ["Board", "Cell", "Column", "Row", "Section", "Table"]
