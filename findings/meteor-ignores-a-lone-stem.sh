#!/usr/bin/env bash
# Finding: METEOR 1.5 gives "playing" no credit for "plays" where the two stand alone: the score is 0.
# Versions: pycocoevalcap 1.2 (meteor-1.5.jar), run by OpenJDK 17.0.15.
# Expected: words of one stem match, at weight 0.6, as the papers on METEOR say; synonyms too, at 0.8.
# Behaviour: the search for an alignment adds half a word for each side of such a match to a whole number, which takes the
#   half away again: a single word that matches by stem, synonym or paraphrase counts nothing there, while it may begin a
#   chunk, which costs. It is kept where it makes no further chunk, and left out elsewhere. A METEOR written from the
#   papers gives about a point more for a whole test set of captions.
# Seen: "playing | plays: 0.0", "a playing | a plays: 0.6999999999999998" and "playing now | plays here: 0.0"
set -euo pipefail

command -v java >/dev/null || { echo "needs Java" >&2; exit 2; }
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet --disable-pip-version-check --no-deps 'pycocoevalcap==1.2'

"$folder/environment/bin/python" - <<'PYTHON'
import sys

from pycocoevalcap.meteor.meteor import Meteor

pairs = [("playing", "plays"), ("a playing", "a plays"), ("playing now", "plays here")]
meteor = Meteor()
_, scores = meteor.compute_score({i: [b] for i, (_, b) in enumerate(pairs)}, {i: [a] for i, (a, _) in enumerate(pairs)})
for (caption, reference), score in zip(pairs, scores):
    print(f"{caption} | {reference}: {score}")
if not (scores[0] == scores[2] == 0.0 < scores[1]):
    print("The behaviour has changed.", file=sys.stderr)
    sys.exit(1)
PYTHON
