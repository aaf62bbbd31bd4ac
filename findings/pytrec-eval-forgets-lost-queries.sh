#!/usr/bin/env bash
# Finding: pytrec_eval leaves a query that is missing from the run out of its result, so a mean over it rises when queries are lost.
# Versions: pytrec_eval-terrier 0.5.11, ir_measures 0.4.3 (Python 3.11)
# Expected: what the qrels ask for and the run does not answer counts as not found; a run that lost queries cannot gain.
# Behaviour: the result has no entry for such a query, and who takes the mean of what is there, as benchmarks do, gets a higher
#   score for a run without its failures. ir_measures, built on the same library, counts them as zero.
# Seen: ten queries of which five are found first, then the same run without the five that are not
#   all ten: 10 entries, mean recall@1 0.5, ir_measures 0.5
#   five lost: 5 entries, mean recall@1 1.0, ir_measures 0.5
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet --disable-pip-version-check 'pytrec_eval-terrier==0.5.11' 'ir_measures==0.4.3'

"$folder/environment/bin/python" - <<'PYTHON'
import sys

import ir_measures
import pytrec_eval
from ir_measures import R

qrels = {f"q{i}": {f"d{i}": 1} for i in range(10)}
run = {f"q{i}": {f"d{j}": float(j == (i if i < 5 else 0)) for j in range(10)} for i in range(10)}
found = []
for what, answers in (("all ten", run), ("five lost", {q: own for q, own in run.items() if q < "q5"})):
    entries = pytrec_eval.RelevanceEvaluator(qrels, {"recall.1"}).evaluate(answers)
    mean = sum(entry["recall_1"] for entry in entries.values()) / len(entries)
    whole = ir_measures.calc_aggregate([R @ 1], qrels, answers)[R @ 1]
    found.append((len(entries), round(mean, 3), round(float(whole), 3)))
    print(f"{what}: {len(entries)} entries, mean recall@1 {mean:.1f}, ir_measures {whole:.1f}")
if found != [(10, 0.5, 0.5), (5, 1.0, 0.5)]:
    print("The behaviour has changed.", file=sys.stderr)
    sys.exit(1)
PYTHON
