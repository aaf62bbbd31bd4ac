#!/usr/bin/env bash
# Finding: torchmetrics gives every caption longer than CLIP reads one and the same CLIPScore, whatever its words.
# Versions: torchmetrics 1.9.0, transformers 4.57.3, torch 2.13.0 (Python 3.11)
# Expected: of a caption of more than 77 tokens the first ones count, as with `truncate=True` of CLIP's own tokenizer, which
#   leaves the end mark in the last place; torchmetrics warns that it "will truncate captions to this length".
# Behaviour: it cuts the end mark off as well. CLIP's vector of a text is that of the end mark; where there is none,
#   transformers takes the first place, also by its older rule, the greatest number, which is then the start mark's. There no
#   word has been read. Paragraphs and what language models write score alike, right or wrong. (The mean is cut at 0, too, not
#   each score, as its formula says; and with transformers 5 it raises an error.)
# Seen: three captions of one picture, the end mark found by its number, then by the older rule
#   captions of 75 words: 35.9 11.4 34.8 35.9 11.4 34.8
#   captions of 76 words: 2.8 2.8 2.8 2.8 2.8 2.8
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet --disable-pip-version-check 'torch==2.13.0' \
  'torchmetrics==1.9.0' 'transformers==4.57.3' 'pillow==13.0.0'

"$folder/environment/bin/python" -W ignore - <<'PYTHON'
import sys

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torchmetrics.multimodal import CLIPScore

WORDS = {word: number for number, word in enumerate("a man dog child runs sits sings plays [BOS] [EOS]".split())}
START, END = WORDS["[BOS]"], WORDS["[EOS]"]  # the greatest numbers, in this order, as in CLIP's vocabulary
words = Tokenizer(models.WordLevel(WORDS, "a"))
words.pre_tokenizer = pre_tokenizers.Whitespace()
words.post_processor = processors.TemplateProcessing(
    single="[BOS] $A [EOS]", special_tokens=[("[BOS]", START), ("[EOS]", END)])
tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="[EOS]", pad_token="[EOS]")
pictures = transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def scores(end: int, length: int) -> list[float]:
    """Returns scores of one picture with captions of so many words; `end` is what the configuration calls the mark."""
    torch.manual_seed(1)
    text = {"vocab_size": len(WORDS), "max_position_embeddings": 77, "eos_token_id": end, **tower}
    vision = {"image_size": 32, "patch_size": 16, **tower}
    model = transformers.CLIPModel(transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=8))
    metric = CLIPScore(model_name_or_path=lambda: (model.eval(), transformers.CLIPProcessor(pictures, tokenizer)))
    picture = torch.randint(255, (3, 32, 32))
    said = ("a man runs ", "a dog sits ", "child plays sings ")
    return [round(metric(picture, " ".join((one * 40).split()[:length])).item(), 1) for one in said]


read = [scores(end, 75) for end in (END, 2)]  # 2 stands for the older rule
cut = [scores(end, 76) for end in (END, 2)]
for length, found in ((75, read), (76, cut)):
    print(f"captions of {length} words:", *(value for row in found for value in row))
if any(len(set(row)) < 3 for row in read) or any(len(set(row)) > 1 or row[0] == 0 for row in cut):
    print("The behaviour has changed.", file=sys.stderr)
    sys.exit(1)
PYTHON
