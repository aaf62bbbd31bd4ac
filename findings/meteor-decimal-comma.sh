#!/usr/bin/env bash
# Finding: METEOR 1.5 ends when it adds up captions on a machine whose language writes a decimal comma.
# Versions: pycocoevalcap 1.2 (meteor-1.5.jar), run by OpenJDK 17.0.15.
# Expected: a score does not depend on the language of the desktop: numbers that a program writes, it can read.
# Behaviour: METEOR writes the counts of each caption with a point ("3.0") whatever the locale, and reads them back with
#   a Scanner of the user's locale, which wants "3,0": the process ends at the first EVAL line, after it has answered
#   every SCORE line. pycocoevalcap starts java in the user's locale, so a whole evaluation is lost at its last step.
# Seen: "en US: 0.24339855389672638 0.24339855389672638" and
#   "de DE: no answer, exit code 1: Exception in thread "main" java.util.InputMismatchException"
set -euo pipefail

command -v java >/dev/null || { echo "needs Java" >&2; exit 2; }
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet --disable-pip-version-check --no-deps 'pycocoevalcap==1.2'
jar="$(find "$folder/environment" -name meteor-1.5.jar)"

evaluated() {  # LANGUAGE COUNTRY: what METEOR answers to the counts of one caption
  java "-Duser.language=$1" "-Duser.country=$2" -jar "$jar" - - -stdio -l en -norm 2>"$folder/complaint" \
    <<<"EVAL ||| 3.0 4.0 1.0 2.0 1.0 1.0 1.0 1.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 1.0 2.0 2.0" \
    || echo "no answer, exit code $?: $(grep -m 1 Exception "$folder/complaint" || true)"
}

english="$(evaluated en US | tr '\n' ' ')"
german="$(evaluated de DE | tr '\n' ' ')"
echo "en US: $english"
echo "de DE: $german"
[[ "$english" == 0.* && "$german" == *"no answer"* ]] || { echo "The behaviour has changed." >&2; exit 1; }
