"""Records become pages: reads result JSON and evidence files and nothing else; deterministic to the byte."""

from bench.leaderboard.building import BuildReport, Sources, build
from bench.leaderboard.records import Note

__all__ = ["BuildReport", "Note", "Sources", "build"]
