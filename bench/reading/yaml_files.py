"""YAML, read within limits: a key given twice is an error, and so is what would take minutes to read or to print.

Ten lines of aliases can stand for more values than memory holds; nesting, values and digits are limited here, in the
one loader that reads every YAML file.
"""

from __future__ import annotations

from typing import Any

import yaml

from bench.reading.outside import Form, one_line, shown

YAML = Form("YAML text", remedy="Fix the file.")

LARGEST = 1 << 20
"""Characters of a file."""
DEPTH, VALUES, DIGITS = 32, 50_000, 100
"""Levels of nesting; values in all, where an alias counts as all that it stands for; characters of a number."""


class NotYaml(ValueError):
    """A text is no YAML, or goes beyond a limit; the message says where."""


def parse_yaml(text: str) -> Any:
    """Returns the value of a YAML text. Raises: NotYaml naming the line."""
    if len(text) > LARGEST:
        raise NotYaml(f"{len(text):,} characters, and {LARGEST:,} are read at most")
    try:
        return yaml.load(text, Loader=_Bounded)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise NotYaml(f"line {line}: {str(error.problem)[:160]}") from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError, TypeError, AttributeError) as error:
        raise NotYaml(one_line(error)) from None


class _Bounded(yaml.SafeLoader):
    """A safe loader that refuses a key given twice, which plain YAML silently overrides, and what has no end."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = self._values = 0
        self._sizes: dict[int, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Returns the next node, counted; an alias counts as all that it stands for."""
        mark = self.get_mark()
        alias = self.check_event(yaml.AliasEvent)
        self._depth += 1
        if self._depth > DEPTH:
            raise yaml.composer.ComposerError(None, None, f"nested deeper than {DEPTH} levels", mark)
        before = self._values
        node = super().compose_node(parent, index)
        self._depth -= 1
        if alias and id(node) not in self._sizes:
            raise yaml.composer.ComposerError(None, None, "an alias stands for what it is part of", mark)
        self._values += self._sizes[id(node)] if alias else 1
        if self._values > VALUES:
            raise yaml.composer.ComposerError(None, None, f"more than {VALUES:,} values, aliases resolved", mark)
        if not alias:
            self._sizes[id(node)] = self._values - before
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise _wrong(f"key {shown(key)} is not text", key_node)
            if key in seen:
                raise _wrong(f"key {shown(key)} occurs twice", key_node)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def number(self, node: yaml.ScalarNode) -> int | float:
        """Returns a number. Raises: ConstructorError for one of more than `DIGITS` characters."""
        if len(node.value) > DIGITS:
            raise _wrong(f"a number of {len(node.value):,} characters", node)
        whole = node.tag == "tag:yaml.org,2002:int"
        return self.construct_yaml_int(node) if whole else self.construct_yaml_float(node)


def _wrong(what: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, what, node.start_mark)


for _tag in ("int", "float"):
    _Bounded.add_constructor(f"tag:yaml.org,2002:{_tag}", _Bounded.number)
