"""What a paper is to a plugin: a name, a title, and a file of its tables that is read only when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """A paper whose tables `bench reproduce` sets beside our figures.

    Attributes:
        name: what users type, such as `hse2018`.
        title: authors, title, venue and year.
        tables: `"package:path/in/package.yaml"`, a file of form bench-paper/1.
    """

    name: str
    title: str
    tables: str
