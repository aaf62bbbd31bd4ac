#!/usr/bin/env bash
# Finding: how PTBTokenizer cuts a caption depends on the caption in the next line, also with -preserveLines.
# Versions: pycocoevalcap 1.2 (stanford-corenlp-3.4.1.jar), run by OpenJDK 17.0.15.
# Expected: -preserveLines gives a line for a line, and pycocoevalcap writes one caption into each: captions are cut one by
#   one, so a caption's score does not depend on the order of the captions.
# Behaviour: a single letter and a dot at the end of a line is one token ("t."), unless the next line begins with a word
#   that often begins a sentence ("The", "He", "A"): then the dot stands alone, and is dropped as punctuation. "t." and
#   "t" are other words to BLEU, ROUGE-L, CIDEr and METEOR.
# Seen: "before 'x': he draws a t." and "before 'The end': he draws a t"
set -euo pipefail

command -v java >/dev/null || { echo "needs Java" >&2; exit 2; }
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet --disable-pip-version-check --no-deps 'pycocoevalcap==1.2'

"$folder/environment/bin/python" - 2>/dev/null <<'PYTHON'
import sys

from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

found = {}
for following in ("x", "The end"):
    captions = {"first": [{"caption": "He draws a T."}], "second": [{"caption": following}]}
    found[following] = PTBTokenizer().tokenize(captions)["first"][0]
    print(f"before {following!r}: {found[following]}")
if list(found.values()) != ["he draws a t.", "he draws a t"]:
    print("The behaviour has changed.")
    sys.exit(1)
PYTHON
