#!/usr/bin/env bash
# Finding: torchmetrics changes average precision of classes when scores leave 0 to 1: it applies a softmax unasked.
# Versions: torchmetrics 1.9.0, torch 2.13.0 (Python 3.11)
# Expected: average precision of a class ranks videos by their scores of it; shifting and scaling all changes nothing.
# Behaviour: as soon as one score lies outside 0 to 1, all are taken for logits and normalised over the classes of each video.
#   That reorders the videos of a class. The same scores, mapped to 0 to 1, give another figure. Nothing is said.
# Seen: average precision of two classes, for four videos
#   scores as they are: 0.5 0.5
#   the same, mapped to 0 to 1: 1.0 0.417
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet --disable-pip-version-check 'torch==2.13.0' 'torchmetrics==1.9.0'

"$folder/environment/bin/python" - <<'PYTHON'
import sys

import torch
from torchmetrics.functional.classification import multiclass_average_precision

scores = torch.tensor([[3.0, 9.0], [2.0, 8.0], [1.0, 0.0], [0.0, -1.0]])  # by class 0 the first two videos lead
target = torch.tensor([0, 0, 1, 1])
mapped = (scores - scores.min()) / (scores.max() - scores.min())
found = []
for what, given in (("scores as they are", scores), ("the same, mapped to 0 to 1", mapped)):
    values = multiclass_average_precision(given, target, num_classes=2, average=None)
    found.append([round(value, 3) for value in values.tolist()])
    print(f"{what}:", *found[-1])
if found != [[0.5, 0.5], [1.0, 0.417]]:
    print("The behaviour has changed.", file=sys.stderr)
    sys.exit(1)
PYTHON
