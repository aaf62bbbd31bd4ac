#!/usr/bin/env bash
# Finding: torchmetrics counts a right item of a score of zero or less as not retrieved, in four retrieval metrics.
# Versions: torchmetrics 1.9.0, torch 2.13.0 (Python 3.11)
# Expected: only the order of the scores counts. Cosines of text and video lie between -1 and 1; the best may be -0.1.
# Behaviour: recall, precision, reciprocal rank and average precision leave out right items whose score is not above zero;
#   hit rate and nDCG of the same call do not. So recall of one right item differs from its hit rate, and adding a
#   number to all scores changes a result: R@1 of 100 becomes 0.
# Seen: the right item is first of three by -0.1, -0.5 and -0.9; then by the same scores plus 1
#   recall@1 0.0 1.0
#   precision@1 0.0 1.0
#   hit rate@1 1.0 1.0
#   reciprocal rank 0.0 1.0
#   average precision 0.0 1.0
#   nDCG 1.0 1.0
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet --disable-pip-version-check 'torch==2.13.0' 'torchmetrics==1.9.0'

"$folder/environment/bin/python" - <<'PYTHON'
import sys

import torch
from torchmetrics.functional import retrieval

scores, right = torch.tensor([-0.1, -0.5, -0.9]), torch.tensor([1, 0, 0])
metrics = {
    "recall@1": lambda s: retrieval.retrieval_recall(s, right, top_k=1),
    "precision@1": lambda s: retrieval.retrieval_precision(s, right, top_k=1),
    "hit rate@1": lambda s: retrieval.retrieval_hit_rate(s, right, top_k=1),
    "reciprocal rank": lambda s: retrieval.retrieval_reciprocal_rank(s, right),
    "average precision": lambda s: retrieval.retrieval_average_precision(s, right),
    "nDCG": lambda s: retrieval.retrieval_normalized_dcg(s, right),
}
found = {name: (float(metric(scores)), float(metric(scores + 1))) for name, metric in metrics.items()}
for name, (below, above) in found.items():
    print(name, below, above)
lost = {name for name, (below, above) in found.items() if (below, above) == (0.0, 1.0)}
if lost != set(found) - {"hit rate@1", "nDCG"}:
    print("The behaviour has changed.", file=sys.stderr)
    sys.exit(1)
PYTHON
