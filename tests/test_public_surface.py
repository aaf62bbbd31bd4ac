"""The public surface is what docs/public-surface.md lists, to the parameter: no change of it goes unnoticed.

After a change on purpose: `python tests/test_public_surface.py > docs/public-surface.md`, a line in CHANGELOG.md, and,
where a plugin written before could stop working, a higher `API_VERSION` in bench/plugins/hookspecs.py.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "public-surface.md"
DOORS = {
    "bench": "from Python",
    "bench.api": "models, specs and errors",
    "bench.data_api": "datasets and feature readers",
    "bench.task_api": "tasks",
    "bench.board_api": "exporters of leaderboards",
    "bench.testing": "the conformance kit",
}
OPAQUE = {"Dataset"}
"""Made by one function of the surface and handed on; what it is made of is not promised."""

HEAD = """# Public surface

What plugins and scripts may rely on. Everything else may change without notice. The list is made from the code and
compared with it by a test; what changes is in the [changelog](../CHANGELOG.md).

- API version **{api}** (`bench.api.API_VERSION`). It rises when a plugin written for the one before could stop working;
  a plugin may state its own as `BENCH_API`, and is refused with a clear line where the two differ. What is added does
  not raise it.
- Records are `{schema}`, described by `bench/schemas/result-1.json`. Under the same version a field may be added,
  with a default, or become null where it does not apply; anything else makes a new one.
- A name is deprecated for one minor release, with a warning, before it goes away.

Hooks ([hooks.md](hooks.md)):

```text
{hooks}
```

Fields of a record:

```text
{record}
```
"""


def written(value: Any) -> str:
    """Returns how an annotation or a default is written, without what differs from one Python to the next."""
    return value if isinstance(value, str) else getattr(value, "__name__", str(value))


def signature(value: Any, name: str) -> str:
    parameters = []
    for parameter in inspect.signature(value).parameters.values():
        star = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        optional = "=…" if parameter.default is not inspect.Parameter.empty else ""
        if parameter.name != "self":
            parameters.append(f"{star}{parameter.name}{optional}")
    return f"{name}({', '.join(parameters)})"


def methods(kind: type) -> Iterator[str]:
    """Yields a line for each public method, also those that a base of ours brings."""
    ours = [base for base in reversed(kind.__mro__) if base.__module__.startswith("bench.")]
    for name, value in sorted({name: value for base in ours for name, value in vars(base).items()}.items()):
        if not name.startswith("_"):
            function = getattr(value, "__func__", value)
            if inspect.isfunction(function):
                yield "    " + signature(function, f".{name}").replace("(cls, ", "(").replace("(cls)", "()")
            elif isinstance(value, property | cached_property):
                yield f"    .{name}"


def described(module: ModuleType) -> Iterator[str]:
    """Yields a line for each public name of a module, and one for each public method of a class."""
    for name in sorted(module.__all__, key=str.lower):
        value = getattr(module, name)
        if name in OPAQUE:
            yield name
        elif inspect.isclass(value) and issubclass(value, BaseException):
            yield f"{name}: error, exit code {value.exit_code}" if hasattr(value, "exit_code") else f"{name}: error"
        elif dataclasses.is_dataclass(value):
            fields = [f for f in dataclasses.fields(value) if f.init and not f.name.startswith("_")]
            optional = (dataclasses.MISSING, dataclasses.MISSING)
            shown = [f.name + ("" if (f.default, f.default_factory) == optional else "=…") for f in fields]
            yield f"{name}({', '.join(shown)})"
            yield from methods(value)
        elif hasattr(value, "model_fields"):
            yield f"{name}({', '.join(value.model_fields)})"
        elif inspect.isclass(value):
            yield name if getattr(value, "_is_protocol", False) else signature(value, name)
            yield from methods(value)
        elif inspect.isfunction(value):
            yield signature(value, name)
        elif isinstance(value, ModuleType):  # a package that is a function as well
            yield signature(value.__call__, name)
        else:
            yield name


def fields_of_records() -> Iterator[str]:
    schema = import_module("bench.results").Result.json_schema()
    for title, part in [("Result", schema), *sorted(schema["$defs"].items())]:
        yield f"{title}: {', '.join(part['properties'])}"


def surface() -> str:
    """Returns docs/public-surface.md as the code would have it."""
    hookspecs = import_module("bench.plugins.hookspecs")
    hooks = [signature(value, name) for name, value in sorted(vars(hookspecs).items()) if name.startswith("bench_")]
    schema = import_module("bench.results").SCHEMA
    text = HEAD.format(
        api=hookspecs.API_VERSION, schema=schema, hooks="\n".join(hooks), record="\n".join(fields_of_records())
    )
    for door, what in DOORS.items():
        text += f"\n`{door}`: {what}\n\n```text\n" + "\n".join(described(import_module(door))) + "\n```\n"
    return text


def test_the_public_surface_is_the_one_that_is_written_down() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == surface(), (
        "the public surface changed: see the first lines of tests/test_public_surface.py for what to do"
    )


def test_every_name_that_a_door_promises_is_there_and_has_a_word_to_say() -> None:
    for door in DOORS:
        module = import_module(door)
        assert module.__doc__
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                assert inspect.getdoc(value), f"{door}.{name}"


def test_api_version_and_documents_agree() -> None:
    api = import_module("bench.api")

    assert f"API version **{api.API_VERSION}**" in DOCUMENT.read_text(encoding="utf-8")
    assert f"BENCH_API = {api.API_VERSION}" in (DOCUMENT.parent / "hooks.md").read_text(encoding="utf-8")


if __name__ == "__main__":
    print(surface(), end="")  # noqa: T201
