#!/usr/bin/env bash
# Finding: going through a DataLoader that neither shuffles nor has workers draws from torch's global random state.
# Versions: torch 2.13.0 (Python 3.11)
# Expected: nothing random happens in it: batches come in order, in this process, so the generator stays as it was.
# Behaviour: every pass draws one number, a seed for workers that are not there. A model that is evaluated between two
#   epochs, or whose features are extracted first, is trained with other dropout and other order than one that is not,
#   under one seed. A generator of its own for the loader keeps it.
# Seen: the first number drawn under seed 0, after nothing, one pass, two passes, and two with a generator of its own
#   nothing 0.4962566
#   one pass 0.0884774
#   two passes 0.3074228
#   two passes, own generator 0.4962566
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet --disable-pip-version-check 'torch==2.13.0' 'numpy==2.4.6'

"$folder/environment/bin/python" - <<'PYTHON'
import sys

import torch
from torch.utils.data import DataLoader

features = torch.arange(12.0).reshape(6, 2)


def drawn(passes, **options):
    """Returns the first number under seed 0, after a loader was gone through."""
    torch.manual_seed(0)
    loader = DataLoader(features, batch_size=2, shuffle=False, num_workers=0, **options)
    for _ in range(passes):
        assert torch.equal(torch.cat(list(loader)), features)
    return float(torch.rand(()))


found = {
    "nothing": drawn(0),
    "one pass": drawn(1),
    "two passes": drawn(2),
    "two passes, own generator": drawn(2, generator=torch.Generator()),
}
for name, number in found.items():
    print(f"{name} {number:.7f}")
moved = len({found["nothing"], found["one pass"], found["two passes"]}) == 3
sys.exit(0 if moved and found["two passes, own generator"] == found["nothing"] else 1)
PYTHON
