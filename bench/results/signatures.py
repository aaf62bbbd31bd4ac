"""Signatures: one line that says how a number was made. Only rows of equal signatures are ranked together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

WEIGHTS = "weights"
"""The part of a signature that says which weights a model was given: it tells rows from one another, not tables."""


def signature(task: str, version: int, parts: Mapping[str, str]) -> str:
    """Returns one line that says how a number was made: `task/version|key=value|…`, in the given order."""
    for key, value in parts.items():
        if re.search(r"[|=\s]", key + value):
            raise ValueError(f"signature part {key}={value} holds a separator")
    return "|".join([f"{task}/{version}", *(f"{key}={value}" for key, value in parts.items())])


def parse_signature(text: str) -> dict[str, str]:
    """Returns the parts of a signature; the task and its version under `task`."""
    head, *parts = text.split("|")
    return {"task": head, **dict(part.split("=", 1) for part in parts)}


def sampled(made: Mapping[str, str]) -> dict[str, str]:
    """Returns the part of a signature that says which frames were taken, for features that bench made from videos."""
    return {"frames": made["sampler"].replace("=", ":").replace(" ", "+")} if "sampler" in made else {}


EQUAL_TOOLS = {"tokens=regex-2": "tokens=ptb-3.4.1", "meteor=1.5-py": "meteor=1.5"}
"""Parts of signatures that name tools of ours, and those of the tools that they equal: tests compare their values."""


def comparable(text: str) -> str:
    """Returns a signature under which all stand whose numbers are the same, whichever tools counted."""
    return "|".join(EQUAL_TOOLS.get(part, part) for part in text.split("|"))


def protocol(text: str) -> str:
    """Returns the signature that rows of one table share: all but the weights and the choice among equal tools."""
    return "|".join(part for part in comparable(text).split("|") if not part.startswith(f"{WEIGHTS}="))


def as_of_today(record: dict[str, Any]) -> dict[str, Any]:
    """Returns the JSON of a record as one of today says it.

    Version 1 of retrieval did not say what one text is. It always asked with all sentences of a video at once, which is
    `text=paragraph` of version 2; where they were captions of a whole video, nothing in the record tells. Zero-shot
    recognition did not say at which level it compares: it was always `level=video`.
    """
    said, task = record.get("signature"), record.get("task")
    if not isinstance(said, str) or not isinstance(task, dict) or task.get("version") != 1:
        return record
    head, *parts = said.split("|")
    keys = [part.partition("=")[0] for part in parts]
    if "source" in keys or not head.endswith("/1"):  # scored from a file, or of another version
        return record
    if head.endswith("-zero-shot/1") and "template" in keys and "level" not in keys:
        parts.insert(keys.index("template"), "level=video")
        return {**record, "signature": "|".join([head, *parts])}
    if "text" in keys or not {"segments", "ties"} <= set(keys) or not str(record.get("primary")).startswith("t2v/"):
        return record
    parts.insert(keys.index("segments") + 1, "text=paragraph")
    signed = "|".join([head.removesuffix("1") + "2", *parts])
    return {**record, "signature": signed, "task": {**task, "version": 2}}
