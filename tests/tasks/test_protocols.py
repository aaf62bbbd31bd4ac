"""The protocol document is what the task modules say."""

from __future__ import annotations

from pathlib import Path

from bench.tasks.protocols import KINDS, protocols

PROJECT = Path(__file__).resolve().parents[2]
OTHERS = {"__init__", "task", "parameters", "protocols", "prompts", "counting"}
"""Modules of bench/tasks that are no kind of task."""


def test_the_document_is_up_to_date() -> None:
    committed = (PROJECT / "docs" / "protocols.md").read_text(encoding="utf-8")
    assert committed == protocols(), "run: python -m bench.tasks.protocols docs/protocols.md"


def test_every_task_module_is_in_the_document() -> None:
    modules = {path.stem for path in (PROJECT / "bench" / "tasks").glob("*.py")}
    assert modules - OTHERS == set(KINDS)
