#!/usr/bin/env bash
# Finding: h5py answers with zeros, without an error, for rows that no file holds.
# Versions: h5py 3.16.0, numpy 2.4.6 (Python 3.11)
# Expected: reading a virtual dataset whose source file is not there is an error, as it is for an external raw file.
# Behaviour: its rows are zeros, and so are those of a source that is named otherwise, of a dataset that was made and never
#   written, and of chunks that were never written. Features copied without their sources train a model on zeros.
# Seen: (the first half of a row is what was written, where anything was)
#   source not there: [0. 0. 0. 0.]
#   source named otherwise: [0. 0. 0. 0.]
#   never written: [0. 0. 0. 0.]
#   second chunk never written: [1. 1. 0. 0.]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet 'h5py==3.16.0' 'numpy==2.4.6'
env/bin/python - <<'PYTHON'
import sys

import h5py
import numpy as np

with h5py.File("source.h5", "w") as file:
    file["rows"] = np.ones(4, "f4")
with h5py.File("features.h5", "w") as file:
    for name, source, rows in (("source not there", "gone.h5", "rows"), ("source named otherwise", "source.h5", "Rows")):
        layout = h5py.VirtualLayout((4,), "f4")
        layout[:] = h5py.VirtualSource(source, rows, shape=(4,))
        file.create_virtual_dataset(name, layout)
    file.create_dataset("never written", (4,), "f4")
    file.create_dataset("second chunk never written", (4,), "f4", chunks=(2,))[:2] = 1
wrong = 0
with h5py.File("features.h5", "r") as file:
    for name in ("source not there", "source named otherwise", "never written", "second chunk never written"):
        rows = file[name][()]
        print(f"{name}: {rows}")
        wrong += not (rows[2:] == 0).all()
sys.exit(1 if wrong else 0)
PYTHON
