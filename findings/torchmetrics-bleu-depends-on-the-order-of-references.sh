#!/usr/bin/env bash
# Finding: BLEU of torchmetrics, also its sacre_bleu_score, changes with the order in which the references of a caption are listed.
# Versions: torchmetrics 1.9.0, sacrebleu 2.6.0, nltk 3.10.4, torch 2.13.0, numpy 2.4.6 (Python 3.11)
# Expected: references are a set. Of two that are equally near in length the shorter one counts, as in every other BLEU; what is
#   called sacre_bleu_score gives what sacrebleu gives.
# Behaviour: the first of the nearest counts. Captions have five to forty references, most of them a word longer or shorter, so this
#   decides the brevity penalty of nearly every test set: sorting a file of references moves BLEU by points.
# Seen: BLEU@2 of 100 captions of six words with references of five and of seven, in percent
#   shorter first: torchmetrics 89.4, its sacre_bleu_score 89.4, sacrebleu 89.4, nltk 89.4
#   longer first: torchmetrics 75.7, its sacre_bleu_score 75.7, sacrebleu 89.4, nltk 89.4
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'torchmetrics==1.9.0' 'sacrebleu==2.6.0' 'nltk==3.10.4' 'torch==2.13.0' \
  'numpy==2.4.6'
env/bin/python - <<'PYTHON'
import sys

import sacrebleu
from nltk.translate.bleu_score import corpus_bleu
from torchmetrics.functional.text import bleu_score, sacre_bleu_score

CAPTION, SHORTER, LONGER = "a man rides a brown horse", "a man rides brown horse", "a man rides a big brown horse"
captions, half = [CAPTION] * 100, (0.5, 0.5)
found = {}
for what, references in (("shorter first", [SHORTER, LONGER]), ("longer first", [LONGER, SHORTER])):
    each = [references] * 100
    streams = [[reference] * 100 for reference in references]
    found[what] = {
        "torchmetrics": 100 * bleu_score(captions, each, n_gram=2).item(),
        "its sacre_bleu_score": 100 * sacre_bleu_score(captions, each, n_gram=2).item(),
        "sacrebleu": sacrebleu.BLEU(max_ngram_order=2).corpus_score(captions, streams).score,
        "nltk": 100 * corpus_bleu([[r.split() for r in references]] * 100, [CAPTION.split()] * 100, weights=half),
    }
    print(f"{what}:", ", ".join(f"{name} {value:.1f}" for name, value in found[what].items()))
rounded = [[round(value, 1) for value in values.values()] for values in found.values()]
as_told = len(set(rounded[0])) == 1 and rounded[1][2:] == rounded[0][2:] and max(rounded[1][:2]) < rounded[0][0] - 5
if not as_told:
    print("The behaviour has changed.", file=sys.stderr)
sys.exit(0 if as_told else 1)
PYTHON
