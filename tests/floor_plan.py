"""Draws docs/architecture.md from the imports and docstrings of bench: `python tests/floor_plan.py` writes it anew."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "architecture.md"
ROOT = "bench"
INTRODUCTION = """\
# Architecture

This page is drawn from the code by `python tests/floor_plan.py`, and a test compares it with the code; edit docstrings
and `[tool.importlinter]` in `pyproject.toml`, not this page.

A run, hop by hop: [`cli`](../bench/cli) parses a command; [`catalogue`](../bench/catalogue) looks up model, task and
dataset; [`runs`](../bench/runs) plans, fits, predicts, saves, and only then scores; [`tasks`](../bench/tasks) ask and
count; [`metrics`](../bench/metrics) turn counts into numbers. A record then goes through
[`evidence`](../bench/evidence), where its numbers must follow from what was counted, to
[`leaderboard`](../bench/leaderboard), which reads records and nothing else. Models see [`inputs`](../bench/inputs.py)
through [`api`](../bench/api.py); which text belongs to which video is in [`annotations`](../bench/annotations.py),
which they cannot import.
"""


def sources() -> dict[str, Path]:
    """Returns every module of bench by its dotted name."""
    paths = [path for path in (PROJECT / ROOT).rglob("*.py") if "templates" not in path.parts]
    dotted = {".".join(path.relative_to(PROJECT).with_suffix("").parts): path for path in sorted(paths)}
    return {name.removesuffix(".__init__"): path for name, path in dotted.items()}


def imports(path: Path, modules: dict[str, Path]) -> Iterator[str]:
    """Yields the modules of bench that a module imports when it runs, inside functions too, not those for types."""

    def walk(node: ast.AST) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.Import):
                yield from (alias.name for alias in child.names if alias.name in modules)
            elif isinstance(child, ast.ImportFrom) and child.module:
                for alias in child.names:
                    full = f"{child.module}.{alias.name}"
                    yield full if full in modules else child.module
            yield from walk(child)

    found = walk(ast.parse(path.read_text(encoding="utf-8")))
    return (name for name in found if name.split(".")[0] == ROOT and name in modules)


def room(module: str) -> str:
    """Returns the room of a module: the first name below bench, `` for bench itself."""
    return module.split(".")[1] if "." in module else ""


def edges(modules: dict[str, Path]) -> dict[str, set[str]]:
    """Returns for each room the rooms it imports."""
    found: dict[str, set[str]] = {room(module): set() for module in modules if room(module)}
    for module, path in modules.items():
        if room(module):
            found[room(module)] |= {room(name) for name in imports(path, modules)} - {"", room(module)}
    return found


def direct(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Returns the graph without the edges that a longer way implies."""

    def below(start: str, seen: set[str]) -> set[str]:
        for neighbour in graph[start] - seen:
            seen.add(neighbour)
            below(neighbour, seen)
        return seen

    reached = {name: below(name, set()) for name in graph}
    return {
        name: {n for n in near if not any(n in reached[other] for other in near - {n})} for name, near in graph.items()
    }


def layers() -> list[list[str]]:
    """Returns the rooms of each layer of the import contract, from above."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [c for c in settings["tool"]["importlinter"]["contracts"] if c["id"] == "layers"]
    return [re.split(r" *[|:] *", layer) for layer in contract["layers"]]


def sentence(path: Path) -> str:
    """Returns the first paragraph of a module's docstring on one line."""
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(said.split("\n\n")[0].split())


def page() -> str:
    """Returns docs/architecture.md."""
    modules = sources()
    graph = edges(modules)
    lines = [INTRODUCTION, "## Layers", "", "Imports point downwards.", "", "| layer | rooms |", "|---:|---|"]
    plan = layers()
    for number, rooms in enumerate(plan):
        lines.append(f"| {len(plan) - number} | {', '.join(f'`{name}`' for name in rooms)} |")
    lines += ["", "## Who imports whom", "", "Only what no longer way implies is drawn.", "", "```mermaid", "graph TD"]
    for name, near in sorted(direct(graph).items()):
        lines += [f"  {name.strip('_')} --> {other}" for other in sorted(near)]
    lines += ["```", "", "## Rooms", ""]
    for name in (name for rooms in plan for name in rooms):
        package = modules[f"{ROOT}.{name}"].name == "__init__.py"
        lines.append(f"- **`{name}{'/' if package else '.py'}`** {sentence(modules[f'{ROOT}.{name}'])}")
        inside = [module for module in modules if module.startswith(f"{ROOT}.{name}.")]
        for module in inside:
            depth = module.count(".") - 1
            shown = module.rsplit(".", 1)[1] + ("/" if modules[module].name == "__init__.py" else "")
            lines.append(f"{'  ' * depth}- `{shown}` {sentence(modules[module])}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
