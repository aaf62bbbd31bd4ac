#!/usr/bin/env bash
# Finding: torchmetrics ranks an item whose score is NaN first in its hit rate, and last in its other metrics, without a word.
# Versions: torchmetrics 1.9.0, torch 2.13.0 (Python 3.11)
# Expected: a NaN among the scores is an error, or at least is never found: a model that breaks on the right item knows nothing.
# Behaviour: the sort of torch puts NaN before all numbers, and hit rate is 1 where the right item's score is NaN. Recall and
#   reciprocal rank are 0, because NaN is not above zero; nDCG counts the item last. So one row has three results.
# Seen: the right item scores NaN, two others 0.9 and 0.1
#   hit rate@1 1.0
#   nDCG 0.5
#   recall@1 0.0
#   reciprocal rank 0.0
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet --disable-pip-version-check 'torch==2.13.0' 'torchmetrics==1.9.0'

"$folder/environment/bin/python" - <<'PYTHON'
import sys

import torch
from torchmetrics.functional import retrieval

scores, right = torch.tensor([float("nan"), 0.9, 0.1]), torch.tensor([1, 0, 0])
metrics = {
    "hit rate@1": lambda: retrieval.retrieval_hit_rate(scores, right, top_k=1),
    "nDCG": lambda: retrieval.retrieval_normalized_dcg(scores, right),
    "recall@1": lambda: retrieval.retrieval_recall(scores, right, top_k=1),
    "reciprocal rank": lambda: retrieval.retrieval_reciprocal_rank(scores, right),
}
found = {name: float(metric()) for name, metric in metrics.items()}
for name, value in found.items():
    print(name, value)
if list(found.values()) != [1.0, 0.5, 0.0, 0.0]:
    print("The behaviour has changed.", file=sys.stderr)
    sys.exit(1)
PYTHON
