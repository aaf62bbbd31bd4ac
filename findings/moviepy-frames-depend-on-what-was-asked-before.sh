#!/usr/bin/env bash
# Finding: moviepy's get_frame(t) gives another picture at the same time after other questions, where frames last unevenly.
# Versions: moviepy 2.2.1, imageio-ffmpeg 0.8.1, av 18.1.0, numpy 2.4.6 (Python 3.11)
# Expected: get_frame(t) is a function of t: what is on screen at t, in whatever order times are asked.
# Behaviour: it takes a time for a place at the file's mean rate and counts the pictures that come out of FFmpeg up to there; it
#   seeks by time only to go back, or far ahead. Recordings of phones and screens have no steady rate: asked forwards, the
#   pictures here are up to 1.5 s too early or 0.4 s too late; asked backwards most are right; asked at random it depends.
#   Features by a loop over times and by a shuffled loader are of other pictures, and nothing is said.
# Seen: 30 frames at 25 a second, 20 at 8.3 a second, 30 at 25; each carries its number
#   on screen: 0 10 20 30 40 50 60 70
#   asked forwards: 0 7 13 20 33 40 42 44
#   asked backwards: 0 11 20 30 40 50 61 44
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'moviepy==2.2.1' 'imageio-ffmpeg==0.8.1' 'av==18.1.0' 'numpy==2.4.6'
env/bin/python - <<'PYTHON'
import sys
from fractions import Fraction

import av
import numpy as np
from moviepy import VideoFileClip

TIMES = [*range(30), *range(30, 90, 3), *range(90, 120)]  # in 1/25 s
ASKED = range(0, 80, 10)


def number(picture):
    return sum(int(picture[32, 16 * bit + 8].mean() > 125) << bit for bit in range(8))


with av.open("clip.mp4", "w") as container:
    stream = container.add_stream("libx264", rate=25)
    stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
    for n, time in enumerate(TIMES):
        bits = np.repeat([[235 * (n >> bit & 1) for bit in range(8)]], 16, axis=1).repeat(64, axis=0)
        frame = av.VideoFrame.from_ndarray(np.repeat(bits[..., None], 3, axis=2).astype(np.uint8), format="rgb24")
        frame.pts, frame.time_base = time, Fraction(1, 25)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
with av.open("clip.mp4") as container:
    true = {n: number(f.to_ndarray(format="rgb24")) for n, f in enumerate(container.decode(video=0)) if n in ASKED}


def found(order):
    with VideoFileClip("clip.mp4", audio=False) as clip:
        return {n: number(clip.get_frame((TIMES[n] + 0.5) / 25)) for n in order}


forwards, backwards = found(ASKED), found(reversed(ASKED))
for name, pictures in (("on screen", true), ("asked forwards", forwards), ("asked backwards", backwards)):
    print(f"{name}:", *(pictures[n] for n in ASKED))
as_told = list(true.values()) == list(ASKED) and forwards != true and forwards != backwards
if not as_told:
    print("The behaviour has changed.", file=sys.stderr)
sys.exit(0 if as_told else 1)
PYTHON
