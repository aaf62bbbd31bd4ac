#!/usr/bin/env bash
# Finding: scikit-learn's normalize() turns float16 rows of length 256 and more into rows of zeros, without a warning.
# Versions: scikit-learn 1.9.1, numpy 2.4.6 (Python 3.11)
# Expected: normalize() takes float16 and keeps it, so its rows have length 1; what it could not do it would refuse, or
#   compute in more bits, as cosine_similarity() of the same rows does.
# Behaviour: the squares are summed in float16, whose largest number is 65,504. From a length of 256 on the sum is infinite and
#   the row is divided by infinity. Features stored in halves (fully connected layers, states of language models) easily
#   are that long: every similarity is 0, all videos tie, and what sorts ties calls it a result. Nearest neighbours and
#   NumPy's norm along an axis lose the same rows, the latter with a warning.
# Seen: 200 rows of 512 float16, of length 440 to 480, and the same ones as float32
#   rows of zeros: 200 of float16, 0 of float32
#   warnings: 0
#   video that is its own nearest by these rows: 1 of 200 of float16, 200 of 200 of float32
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'scikit-learn==1.9.1' 'numpy==2.4.6'
env/bin/python - <<'PYTHON'
import sys
import warnings

import numpy as np
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import normalize

features = np.random.default_rng(0).normal(0, 20, (200, 512)).astype(np.float16)
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    half, single = normalize(features), normalize(features.astype(np.float32))
lost = [int((rows == 0).all(axis=1).sum()) for rows in (half, single)]
own = [
    int(((rows.astype(np.float32) @ rows.T.astype(np.float32)).argmax(axis=1) == np.arange(200)).sum())
    for rows in (half, single)
]
print(f"rows of zeros: {lost[0]} of float16, {lost[1]} of float32")
print(f"warnings: {len(warned)}")
print(f"video that is its own nearest by these rows: {own[0]} of 200 of float16, {own[1]} of 200 of float32")
whole = bool((cosine_similarity(features).argmax(axis=1) == np.arange(200)).all())
as_told = lost == [200, 0] and not warned and own == [1, 200] and whole
if not as_told:
    print("The behaviour has changed.", file=sys.stderr)
sys.exit(0 if as_told else 1)
PYTHON
