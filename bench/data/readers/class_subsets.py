"""Seen and unseen classes: random class splits of the literature, and what one of them leaves of a test set.

`zero_shot_class_splits.json` beside labels.csv: `{"50_50": [{"train": [class, …], "test": [class, …]}, …], …}`.
`unseen-50-3` are the classes under `test` in split 3 (counted from 0) of those that see 50 % of the classes,
`seen-50-3` those under `train`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bench.annotations import ClassAnnotations
from bench.data.declared import DatasetDeclaration
from bench.data.readers.json_files import read_json
from bench.errors import InvalidData, UsageError
from bench.files import digest
from bench.reading.numbers import number_of

FILE = "zero_shot_class_splits.json"
_NAME = re.compile(r"(?P<side>seen|unseen)-(?P<share>[1-9][0-9]?)-(?P<number>[0-9]{1,3})")


def of_subset(annotations: ClassAnnotations, subset: str, declaration: DatasetDeclaration) -> ClassAnnotations:
    """Returns the classes of `subset`, renumbered, and the videos that have one of them, with these only.

    Raises: UsageError for a subset that is not there; MissingData without the file; InvalidData for a broken one, or
    one of other classes.
    """
    names = _names(subset, declaration)
    unknown = sorted(set(names) - set(annotations.class_names))
    if unknown:
        raise InvalidData(f"{FILE}: {subset} names {unknown[0]!r}, which is no class of {declaration.name!r}.")
    kept = tuple(name for name in annotations.class_names if name in set(names))
    number = {annotations.class_names.index(name): i for i, name in enumerate(kept)}
    labels = {
        video: tuple(number[label] for label in own if label in number)
        for video, own in annotations.labels.items()
        if not number.keys().isdisjoint(own)
    }
    if not labels:
        raise UsageError(
            f"classes={subset}: no test video has one of its {number_of(len(kept), 'class')}. Raise "
            "--limit, or name others."
        )
    return ClassAnnotations(
        labels=labels,
        class_names=kept,
        pool=digest([annotations.pool, kept, sorted(labels)]),
        missing=annotations.missing & labels.keys(),
    )


def _names(subset: str, declaration: DatasetDeclaration) -> tuple[str, ...]:
    match = _NAME.fullmatch(subset)
    folder = declaration.labels.parent if declaration.labels else declaration.root
    if not match or folder is None:
        where = "" if folder else f": dataset {declaration.name!r} is generated and has no class splits"
        raise UsageError(f"classes={subset}{where}. Use all, or a part of {FILE} such as unseen-50-0 or seen-75-9.")
    path = Path(folder) / FILE
    splits = read_json(path, f"class splits, {FILE} beside the labels")
    share, number = match["share"], int(match["number"])
    listed: Any = splits.get(f"{share}_{100 - int(share)}") if isinstance(splits, dict) else None
    if not isinstance(listed, list) or number >= len(listed):
        shares = ", ".join(sorted(splits)) if isinstance(splits, dict) else "nothing"
        available = f"{len(listed)} splits of {share} %" if isinstance(listed, list) else f"splits {shares}"
        raise UsageError(f"classes={subset}: {path} holds {available}. Use one of them, counted from 0.")
    one = listed[number]
    names = one.get("test" if match["side"] == "unseen" else "train") if isinstance(one, dict) else None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise InvalidData(
            f"{path}: split {number} of {share}_{100 - int(share)} holds no lists of names train and test."
        )
    if len(set(names)) < len(names):
        raise InvalidData(f"{path}: split {number} of {share}_{100 - int(share)} names a class twice.")
    return tuple(names)
