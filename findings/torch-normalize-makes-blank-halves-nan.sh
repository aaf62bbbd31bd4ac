#!/usr/bin/env bash
# Finding: torch's normalize() and cosine_similarity() give NaN for a row of zeros in float16, and 0 in every other type.
# Versions: torch 2.13.0, numpy 2.4.6 (Python 3.11)
# Expected: the eps of both is there so that nothing is divided by zero: a row of zeros gives zeros, in any type.
# Behaviour: eps (1e-12, 1e-8) is rounded to the type of the rows, and in float16 that is 0. A video without features is
#   commonly given zeros; in halves its similarities are NaN, and argsort and topk of torch put NaN first: it is what
#   every query finds. Rows whose length is beyond 65,504 have the opposite fate and become zeros. bfloat16 has neither.
# Seen: four videos of which one is blank, asked by four queries
#   float32: blank row [0.0, 0.0], cosine 0.0, first for 0 of 4 queries, R@1 75
#   bfloat16: blank row [0.0, 0.0], cosine 0.0, first for 0 of 4 queries, R@1 75
#   float16: blank row [nan, nan], cosine nan, first for 4 of 4 queries, R@1 25
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'torch==2.13.0' 'numpy==2.4.6'
env/bin/python - <<'PYTHON'
import sys

import torch
from torch.nn import functional

videos = torch.tensor([[1.0, 0.1], [-0.2, 1.0], [-1.0, -0.1], [0.0, 0.0]])
queries = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.6, 0.8]])
found = {}
for name in ("float32", "bfloat16", "float16"):
    rows, asked = (x.to(getattr(torch, name)) for x in (videos, queries))
    directions = functional.normalize(rows, dim=1)
    first = (functional.normalize(asked, dim=1) @ directions.T).topk(1, dim=1).indices[:, 0]
    cosine = float(functional.cosine_similarity(rows[3:], asked[3:])[0])
    blank, found_right = int((first == 3).sum()), int((first == torch.arange(4)).sum())
    found[name] = (blank, found_right)
    shown = directions[3].tolist()
    print(f"{name}: blank row {shown}, cosine {cosine}, first for {blank} of 4 queries, R@1 {25 * found_right}")
as_told = found == {"float32": (0, 3), "bfloat16": (0, 3), "float16": (4, 1)}
if not as_told:
    print("The behaviour has changed.", file=sys.stderr)
sys.exit(0 if as_told else 1)
PYTHON
