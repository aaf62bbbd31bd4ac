#!/usr/bin/env bash
# Finding: ranx breaks ties in another order when make_comparable=True is given, also where no query is missing.
# Versions: ranx 0.3.21 (Python 3.11)
# Expected: make_comparable adds empty results for queries that the run lacks, and removes those that the qrels lack; a run of
#   exactly the queries of the qrels keeps its score.
# Behaviour: it also changes the order of equal scores, so the score of such a run changes: recall@1 of a query whose
#   documents all score the same goes from 0 to 1.
# Seen: one query, 16 documents of one score, the first is relevant
#   as it is: recall@1 0.0
#   make_comparable=True: recall@1 1.0
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet --disable-pip-version-check 'ranx==0.3.21'

"$folder/environment/bin/python" - <<'PYTHON'
import sys

from ranx import Qrels, Run, evaluate

found = []
for what, flags in (("as it is", {}), ("make_comparable=True", {"make_comparable": True})):
    qrels, run = Qrels({"q": {"d00": 1}}), Run({"q": {f"d{i:02}": 0.5 for i in range(16)}})
    found.append(float(evaluate(qrels, run, "recall@1", **flags)))
    print(f"{what}: recall@1 {found[-1]}")
if found != [0.0, 1.0]:
    print("The behaviour has changed.", file=sys.stderr)
    sys.exit(1)
PYTHON
