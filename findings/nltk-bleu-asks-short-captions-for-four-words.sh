#!/usr/bin/env bash
# Finding: NLTK's corpus BLEU of captions that equal their references is below 1 as soon as one of them is under four words.
# Versions: nltk 3.10.4, sacrebleu 2.6.0 (Python 3.11)
# Expected: a caption of three words has no sequence of four, so it adds nothing to their count, as in every other BLEU: what
#   equals its references scores 1.
# Behaviour: it adds one sequence that was not found, for each length that it is too short for. Test sets of short captions
#   (cooking steps, commands) lose points by it, the more the shorter they are, and a model that writes "cut the onion" loses
#   against one that writes longer. It is taken out of the sum, not smoothed, and nothing is said.
# Seen: captions and references are equal, half of them of three words
#   nltk BLEU@1 to 4: 100.00 100.00 100.00 90.36
#   sacrebleu BLEU@1 to 4: 100.00 100.00 100.00 100.00
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'nltk==3.10.4' 'sacrebleu==2.6.0'
env/bin/python - <<'PYTHON'
import sys

from nltk.translate.bleu_score import corpus_bleu
from sacrebleu.metrics import BLEU

captions = ["cut the onion", "mix all well", "fry the onion in oil", "add some salt"]
captions += ["put the pasta into water", "stir it for two minutes"]
cut = [caption.split() for caption in captions]
by_nltk = [100 * corpus_bleu([[own] for own in cut], cut, weights=[1 / n] * n) for n in range(1, 5)]
by_sacrebleu = [
    BLEU(tokenize="none", max_ngram_order=n, smooth_method="none").corpus_score(captions, [captions]).score
    for n in range(1, 5)
]
for name, values in (("nltk", by_nltk), ("sacrebleu", by_sacrebleu)):
    print(f"{name} BLEU@1 to 4:", *(f"{value:.2f}" for value in values))
as_told = min(by_sacrebleu) > 99.99 and min(by_nltk[:3]) > 99.99 and by_nltk[3] < 95
if not as_told:
    print("The behaviour has changed.", file=sys.stderr)
sys.exit(0 if as_told else 1)
PYTHON
