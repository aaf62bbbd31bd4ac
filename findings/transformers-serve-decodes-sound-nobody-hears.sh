#!/usr/bin/env bash
# Finding: transformers serve takes the sound out of every video it is asked about, also for a model without ears.
# Versions: transformers 5.24.0 (serve), torch 2.13.0, fastapi 0.165.0, uvicorn 0.54.0, av 18.1.0 (Python 3.11)
# Expected: a video part of a chat is decoded to frames; sound is looked at only where the processor takes sound.
# Behaviour: the sound track is decoded first, whatever the model is, and that needs torchcodec, which the extra for
#   serving does not install: the answer is 500, whether the clip has sound or, as most clips of this field's sets, has
#   none. The same frames sent as pictures are answered. A benchmark that sends video_url measures the server's decoders
#   before it measures a model, and silent clips have to be given a sound track or be sent as frames.
# Seen: frames as pictures: 200
#   the silent video that they are from: 500, the log asks for torchcodec to load audio: True
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "$(cat "$folder/server.pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'transformers==5.24.0' 'torch==2.13.0' 'accelerate==1.15.0' 'fastapi==0.165.0' \
  'uvicorn==0.54.0' 'openai==3.57.0' 'pillow==13.0.0' 'av==18.1.0' 'httpx2==2.16.2'

cat > make_model.py <<'PYTHON'
"""A tiny model of pictures and text with random weights, and a tokenizer of bytes."""

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

words = Tokenizer(models.BPE())
words.pre_tokenizer, words.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
special = ["<pad>", "<s>", "</s>", "<image>"]
words.train_from_iterator(["a"], trainers.BpeTrainer(
    special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
tokenizer = transformers.PreTrainedTokenizerFast(
    tokenizer_object=words, pad_token="<pad>", bos_token="<s>", eos_token="</s>",
    extra_special_tokens={"image_token": "<image>"})
size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
torch.manual_seed(0)
transformers.LlavaForConditionalGeneration(transformers.LlavaConfig(
    vision_config=transformers.CLIPVisionConfig(**size, image_size=28, patch_size=14),
    text_config=transformers.LlamaConfig(**size, num_key_value_heads=2, vocab_size=len(tokenizer)),
    image_token_id=tokenizer.convert_tokens_to_ids("<image>"), vision_feature_layer=-1)).save_pretrained("tiny")
template = ("{% for m in messages %}{% if m['content'] is string %}{{ m['content'] }}{% else %}"
            "{% for part in m['content'] %}{{ part['text'] if part['type'] == 'text' else '<image>' }}{% endfor %}"
            "{% endif %}{% endfor %}")
transformers.LlavaProcessor(
    image_processor=transformers.CLIPImageProcessorPil(
        size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}),
    tokenizer=tokenizer, patch_size=14, vision_feature_select_strategy="default", chat_template=template,
    num_additional_image_tokens=1).save_pretrained("tiny")
PYTHON
venv/bin/python make_model.py >/dev/null 2>&1

port=$(venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/python -m transformers.cli.transformers serve --port "$port" --device cpu --dtype float32 >server.log 2>&1 &
echo $! >server.pid

venv/bin/python - "$port" <<'PYTHON'
import base64
import http.client
import io
import json
import sys
import time
from pathlib import Path

import av
import numpy as np


def status(content):
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=120)
    asked = {"model": "tiny", "max_tokens": 2, "messages": [{"role": "user", "content": content}]}
    connection.request("POST", "/v1/chat/completions", json.dumps(asked), {"Content-Type": "application/json"})
    return connection.getresponse().status


def part(kind, mime, data):
    return {"type": f"{kind}_url", f"{kind}_url": {"url": f"data:{mime};base64,{base64.b64encode(data).decode()}"}}


def encoded(name, codec, frames):
    file = io.BytesIO()
    with av.open(file, "w", format=name) as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


frames = [np.full((48, 64, 3), 10 * number, np.uint8) for number in range(20)]
question = {"type": "text", "text": "what is it?"}
for _ in range(240):
    try:
        status("hello")
        break
    except OSError:
        time.sleep(0.5)
shown = [part("image", "image/jpeg", encoded("image2pipe", "mjpeg", [frame])) for frame in frames[::10]]
pictures = status([*shown, question])
video = status([part("video", "video/mp4", encoded("mp4", "mpeg4", frames)), question])
time.sleep(3)  # the log is written after the answer
blamed = "Loading audio" in Path("server.log").read_text() and "torchcodec" in Path("server.log").read_text()
print(f"frames as pictures: {pictures}")
print(f"the silent video that they are from: {video}, the log asks for torchcodec to load audio: {blamed}")
sys.exit(0 if (pictures, video, blamed) == (200, 500, True) else 1)
PYTHON
