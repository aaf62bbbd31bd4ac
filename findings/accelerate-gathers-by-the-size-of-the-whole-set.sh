#!/usr/bin/env bash
# Finding: accelerate's gather_for_metrics() loses videos, or counts some twice, where a sampler takes part of the set.
# Versions: accelerate 1.15.0, torch 2.13.0, numpy 2.4.6 (Python 3.11)
# Expected: what two processes gather is what the loader gives in one: each video that the sampler names, once. That the last batch
#   is filled up for the sake of equal sizes is what gather_for_metrics() is there to undo.
# Behaviour: how much of the last batch is real is taken from len(dataset), not from what the sampler draws. A test split drawn by a
#   sampler, or a list of batches of equal lengths, loses real videos at its end, or keeps those that were put in twice; nothing is
#   said, and a recall over 4 of 10 videos looks as good as one over 10. torch's Subset in place of a sampler is right.
# Seen: two processes, batches of 8; of each sampler's videos, how many were gathered, and how many of these are different ones
#   10 of 100 videos by a sampler: gathered 4, different 4
#   21 of 100 videos by a sampler: gathered 20, different 20
#   20 of 108 videos by a sampler: gathered 28, different 20
#   10 of 100 videos by a Subset: gathered 10, different 10
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'accelerate==1.15.0' 'torch==2.13.0' 'numpy==2.4.6'
cat > gather.py <<'PYTHON'
import json
from pathlib import Path

from accelerate import Accelerator, debug_launcher
from torch.utils.data import DataLoader, Subset


def gather():
    accelerator = Accelerator(cpu=True)
    loaders = {
        "10 of 100 videos by a sampler": DataLoader(range(100), batch_size=8, sampler=range(10)),
        "21 of 100 videos by a sampler": DataLoader(range(100), batch_size=8, sampler=range(21)),
        "20 of 108 videos by a sampler": DataLoader(range(108), batch_size=8, sampler=range(20)),
        "10 of 100 videos by a Subset": DataLoader(Subset(range(100), range(10)), batch_size=8),
    }
    found = {}
    for what, loader in loaders.items():
        videos = []
        for batch in accelerator.prepare(loader):
            videos += accelerator.gather_for_metrics(batch).tolist()
        found[what] = [len(videos), len(set(videos))]
    if accelerator.is_main_process:
        Path("found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    debug_launcher(gather, num_processes=2)
PYTHON
env/bin/python gather.py >log 2>&1 || { cat log >&2; exit 1; }
env/bin/python - <<'PYTHON'
import json
import sys
from pathlib import Path

found = json.loads(Path("found.json").read_text())
for what, (gathered, different) in found.items():
    print(f"{what}: gathered {gathered}, different {different}")
as_told = list(found.values()) == [[4, 4], [20, 20], [28, 20], [10, 10]]
if not as_told:
    print("The behaviour has changed.", file=sys.stderr)
sys.exit(0 if as_told else 1)
PYTHON
