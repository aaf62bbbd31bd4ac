#!/usr/bin/env bash
# Finding: transformers' Qwen2.5-VL takes frames that it is handed for 24 a second, whatever `fps` is handed over with them.
# Versions: transformers 5.24.0, torch 2.13.0, torchvision 0.28.0, pillow 13.0.0, numpy 2.4.6 (Python 3.11)
# Expected: processor(text, videos=frames, fps=1.0) says that the frames are a second apart, as in the model's published example:
#   the model counts time in seconds, which is what it is known for. An argument that does nothing would be refused.
# Behaviour: `fps` is for sampling, which is off for frames that were taken already, so it is dropped; the processor then assumes 24
#   a second, and not even warns as Qwen3-VL does. Eight frames of eight seconds are given one and the same moment in time, and what
#   is asked about order, speed or seconds is answered from that. Only `video_metadata` is heard.
# Seen: eight frames; seconds from one pair of frames to the next, and the places in time that the four pairs are given
#   nothing said: 0.0833 s, at 0 0 0 0
#   fps=1.0: 0.0833 s, at 0 0 0 0
#   fps=8.0: 0.0833 s, at 0 0 0 0
#   video_metadata of 1 a second: 2.0000 s, at 0 4 8 12
#   warnings of rates: 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'transformers==5.24.0' 'torch==2.13.0' 'numpy==2.4.6' 'pillow==13.0.0'
env/bin/pip install --quiet --disable-pip-version-check --no-deps 'torchvision==0.28.0'
cat > ask.py <<'PYTHON'
import sys

import numpy as np
import torch

for name in ("nms", "qnms"):  # torchvision asks for them where it was built for another torch; nothing here calls them
    try:
        torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    except RuntimeError:
        pass

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

MARKS = ["<|endoftext|>", "<|im_end|>", "<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>"]
words = Tokenizer(models.BPE())
words.pre_tokenizer, words.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
words.train_from_iterator(["a"], trainers.BpeTrainer(
    special_tokens=MARKS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token=MARKS[0], eos_token=MARKS[1])
processor = transformers.Qwen2_5_VLProcessor(
    image_processor=transformers.Qwen2VLImageProcessor(), tokenizer=tokenizer,
    video_processor=transformers.Qwen2VLVideoProcessor())
size = {"hidden_size": 16, "intermediate_size": 16}
image, video, start, end = (tokenizer.convert_tokens_to_ids(mark) for mark in MARKS[2:])
model = transformers.Qwen2_5_VLModel(transformers.Qwen2_5_VLConfig(
    text_config={**size, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2,
                 "vocab_size": len(tokenizer),
                 "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]}},
    vision_config={**size, "depth": 1, "num_heads": 2, "out_hidden_size": 16, "tokens_per_second": 2},
    image_token_id=image, video_token_id=video, vision_start_token_id=start, vision_end_token_id=end))
frames = np.random.default_rng(0).integers(0, 255, (8, 3, 56, 56), dtype=np.uint8)

CASES = {
    "nothing said": {},
    "fps=1.0": {"fps": 1.0},
    "fps=8.0": {"fps": 8.0},
    "video_metadata of 1 a second": {"video_metadata": [{"fps": 1.0, "total_num_frames": 8}]},
}
found = {}
for what, said in CASES.items():
    asked = processor(text=["<|vision_start|><|video_pad|><|vision_end|>when?"], videos=[frames], do_resize=False,
                      return_tensors="pt", **said)
    seconds = torch.as_tensor(asked["second_per_grid_ts"])
    places, _ = model.get_rope_index(
        asked["input_ids"], mm_token_type_ids=asked["mm_token_type_ids"], video_grid_thw=asked["video_grid_thw"],
        second_per_grid_ts=seconds, attention_mask=asked["attention_mask"])
    times = places[0, 0, asked["input_ids"][0] == video].unflatten(0, (4, -1))[:, 0]
    found[what] = (round(float(seconds[0]), 4), [int(time - times[0]) for time in times])
    print(f"{what}: {found[what][0]:.4f} s, at", *found[what][1])
unheard = (0.0833, [0, 0, 0, 0])
as_told = list(found.values()) == [unheard, unheard, unheard, (2.0, [0, 4, 8, 12])]
sys.exit(0 if as_told else 1)
PYTHON
env/bin/python ask.py 2>said || { cat said >&2; echo "The behaviour has changed." >&2; exit 1; }
warnings=$(grep -ciE 'fps|frames per second|metadata' said || true)
echo "warnings of rates: $warnings"
[[ "$warnings" == 0 ]] || { cat said >&2; echo "The behaviour has changed." >&2; exit 1; }
