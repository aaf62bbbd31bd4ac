"""Writes scores.json: what pycocoevalcap 1.2 gives for captions.json, with its own tokeniser and METEOR (Java).

And odd_tokens.json: how its PTB tokeniser cuts the texts of odd.json.

    python tests/golden/captions/make.py

The captions and texts were written for this project. Run it again only when they change.
"""

import json
import subprocess
from importlib.metadata import version
from pathlib import Path

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.meteor.meteor import Meteor
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

from bench.metrics.captions.tokenising import one_line

FOLDER = Path(__file__).parent
entries = json.loads((FOLDER / "captions.json").read_text(encoding="utf-8"))
references = {i: [{"caption": text} for text in entry["references"]] for i, entry in enumerate(entries)}
captions = {i: [{"caption": entry["caption"]}] for i, entry in enumerate(entries)}
tokenizer = PTBTokenizer()
cut = (tokenizer.tokenize(references), tokenizer.tokenize(captions))
bleu, bleus = Bleu(4).compute_score(*cut, verbose=0)
meteor, meteors = Meteor().compute_score(*cut)
rouge, rouges = Rouge().compute_score(*cut)
cider, ciders = Cider().compute_score(*cut)
scores = {
    "made by": f"pycocoevalcap {version('pycocoevalcap')}",
    "java": subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr.split("\n")[0],
    "tokens": [[cut[1][i][0], *cut[0][i]] for i in captions],
    "corpus": dict(zip(["BLEU@1", "BLEU@2", "BLEU@3", "BLEU@4"], map(float, bleu), strict=True))
    | {"METEOR": meteor, "ROUGE-L": float(rouge), "CIDEr": float(cider)},
    "items": {f"BLEU@{k + 1}": list(map(float, values)) for k, values in enumerate(bleus)}
    | {"METEOR": meteors, "ROUGE-L": list(map(float, rouges)), "CIDEr": list(map(float, ciders))},
}
(FOLDER / "scores.json").write_text(json.dumps(scores, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
texts = json.loads((FOLDER / "odd.json").read_text(encoding="utf-8"))
# on one line, or all that follow were shifted, and before a line of ours: the tokeniser looks into the next one
lines = tokenizer.tokenize({i: [{"caption": line} for line in (one_line(text), "x")] for i, text in enumerate(texts)})
odd = {"made by": scores["made by"], "tokens": [lines[i][0] for i in range(len(texts))]}
(FOLDER / "odd_tokens.json").write_text(json.dumps(odd, indent=0) + "\n", encoding="utf-8")
