"""Makes transformers.json anew, where transformers and torch are installed: `python make.py > transformers.json`.

The functions are taken out of the files of the package, so that nothing else of it (torchvision) has to be there.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import math
import sys
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace as Words
from typing import Any

import numpy as np
import torch

PACKAGE = Path(str(importlib.util.find_spec("transformers").origin)).parent
SAMPLE = "models/{0}/video_processing_{0}.py"
NUMBERS = ((100, 8), (97, 8), (250, 16), (1797, 12), (3596, 12), (16, 16), (7, 3), (640, 64), (42, 30))
RATES = ((100, "25", 2), (3596, "30000/1001", 1), (240, "24000/1001", 2), (9000, "25", 2), (61, "15", 2))


def function(path: str, name: str) -> Any:
    """Returns one function of a file, without the types it names."""
    for node in ast.walk(ast.parse((PACKAGE / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            node.decorator_list, node.returns = [], None
            for argument in (*node.args.args, *node.args.kwonlyargs):
                argument.annotation = None
            known: dict[str, Any] = {"np": np, "torch": torch, "math": math}
            exec(compile(ast.Module([node], []), path, "exec"), known)  # noqa: S102 (of a package that is installed)
            return known[name]
    raise LookupError(name)


DEFAULT = function("video_utils.py", "default_sample_indices_fn")
OTHERS = {
    "qwen2-vl": ("qwen2_vl", {"num_frames": None, "fps": None, "temporal_patch_size": 2}),
    "qwen3-vl": ("qwen3_vl", {"num_frames": None, "fps": 2}),
    "internvl": ("internvl", {"num_frames": None, "fps": None, "initial_shift": True}),
    "glm-4v": ("glm4v", {"num_frames": 16, "fps": 2, "max_duration": 300}),
}


def taken(total: int, rate: float, asked: dict[str, float]) -> dict[str, list[int]]:
    """Returns what each processor takes of so many frames."""
    video = Words(total_num_frames=total, fps=rate, duration=total / rate)
    found = {"hf-arange": DEFAULT(video, **asked)}
    for rule, (name, defaults) in OTHERS.items():
        is_odd = rule == "qwen2-vl" and asked.get("num_frames", 0) % 2
        if not is_odd and (rule != "glm-4v" or "fps" in asked):
            processor = Words(min_frames=4, max_frames=768, **defaults)
            found[rule] = function(SAMPLE.format(name), "sample_frames")(processor, video, **asked)
    lists = {rule: [int(place) for place in places] for rule, places in found.items()}
    return {
        rule: places if len(places) < 200 else [len(places), sum(places), places[-1]] for rule, places in lists.items()
    }


if __name__ == "__main__":
    cases = {
        f"{total} frames, frames={number}": taken(total, 25.0, {"num_frames": number}) for total, number in NUMBERS
    }
    for total, rate, fps in RATES:
        cases[f"{total} frames at {rate}, fps={fps}"] = taken(total, float(Fraction(rate)), {"fps": fps})
    lines = []
    for case, rules in cases.items():
        places = (f"  {json.dumps(rule)}: {json.dumps(found)}" for rule, found in rules.items())
        lines.append(f" {json.dumps(case)}: {{\n" + ",\n".join(places) + "\n }")
    sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")
