#!/usr/bin/env bash
# Finding: ROUGE-L of the package rouge gives the full score to a caption that says its reference over and over.
# Versions: rouge 1.0.1, rouge-score 0.1.2 (Python 3.11)
# Expected: ROUGE-L divides the longest common sequence by the number of words of either side: words too many cost precision.
# Behaviour: the package divides by the number of different words, and takes the common words as a set, so that a word said
#   again costs nothing, however often. A captioner that is stuck in a loop, the usual fault of one that is badly trained or
#   decoded greedily, gets what one that ends gets; a reference that names a word twice counts it once. ROUGE-1 and ROUGE-2 of
#   the same call count different words and pairs too. The other package of that name does not.
# Seen: the reference is "a man rides a horse"; ROUGE-L as F, by rouge and by rouge-score
#   a man rides a horse: 1.000 1.000
#   a man rides a horse a man rides a horse a man rides a horse: 1.000 0.500
#   a man rides a horse horse horse horse horse horse: 1.000 0.667
#   a man rides horse: 1.000 0.889
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'rouge==1.0.1' 'rouge-score==0.1.2'
env/bin/python - <<'PYTHON'
import sys

from rouge import Rouge
from rouge_score.rouge_scorer import RougeScorer

REFERENCE = "a man rides a horse"
found = []
for caption in (REFERENCE, " ".join([REFERENCE] * 3), REFERENCE + " horse" * 5, "a man rides horse"):
    by_rouge = Rouge().get_scores(caption, REFERENCE)[0]["rouge-l"]["f"]
    by_rouge_score = RougeScorer(["rougeL"]).score(REFERENCE, caption)["rougeL"].fmeasure
    found.append((round(by_rouge, 3), round(by_rouge_score, 3)))
    print(f"{caption}: {by_rouge:.3f} {by_rouge_score:.3f}")
if found != [(1, 1), (1, 0.5), (1, 0.667), (1, 0.889)]:
    print("The behaviour has changed.", file=sys.stderr)
    sys.exit(1)
PYTHON
