#!/usr/bin/env bash
# Finding: FFmpeg's filter fps=1 does not take what is shown at seconds 0, 1, 2: it takes what is shown nearly half a second later.
# Versions: av 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6 (Python 3.11)
# Expected: one frame a second is the frame at 0 s, at 1 s, at 2 s; the frame that comes out with time 1.0 is from 1.0 s.
# Behaviour: every time is rounded to the nearest step first, and of the frames that fall together the last one wins. The
#   frame that is said to be from 1.0 s is from 1.48 s, the first one of the file never comes, and the lag grows with the
#   step. Features that were extracted from "fps=1" pictures lie half a step beside those that a program takes at the same
#   rate by time or by index, and a moment that is found with them begins half a step early.
# Seen: a clip of 250 frames, 25 a second; each frame carries its number
#   fps=1: said to be from 0 1 2 3 s, is from 0.48 1.48 2.48 3.48 s
#   fps=1/4: said to be from 0 4 8 s, is from 1.96 5.96 9.96 s
#   fps=1:round=down: said to be from 0 1 2 3 s, is from 0.96 1.96 2.96 3.96 s
#   fps=1:round=up: said to be from 0 1 2 3 s, is from 0.00 1.00 2.00 3.00 s
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'av==18.1.0' 'numpy==2.4.6'
env/bin/python - <<'PYTHON'
import sys

import av
import numpy as np


def number(picture):
    return sum(int(picture[32, 16 * bit + 8].mean() > 125) << bit for bit in range(8))


with av.open("clip.mp4", "w") as container:
    stream = container.add_stream("libx264", rate=25)
    stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
    for n in range(250):
        bits = np.repeat([[235 * (n >> bit & 1) for bit in range(8)]], 16, axis=1).repeat(64, axis=0)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.repeat(bits[..., None], 3, axis=2).astype(np.uint8))))
    container.mux(stream.encode())


def filtered(rate):
    """Returns the time that the filter gives each picture, and the second of the clip that the picture is from."""
    found = []
    with av.open("clip.mp4") as container:
        stream = container.streams.video[0]
        graph = av.filter.Graph()
        graph.link_nodes(graph.add_buffer(template=stream), graph.add("fps", rate), graph.add("buffersink")).configure()
        for frame in [*container.decode(stream), None]:
            graph.push(frame)
            while True:
                try:
                    picture = graph.pull()
                except (BlockingIOError, av.error.EOFError):
                    break
                found.append((float(picture.time), number(picture.to_ndarray(format="rgb24")) / 25))
    return found[:4]


late = {}
for rate in ("1", "1/4", "1:round=down", "1:round=up"):
    found = filtered(rate)
    said, shown = " ".join(f"{time:.0f}" for time, _ in found), " ".join(f"{second:.2f}" for _, second in found)
    print(f"fps={rate}: said to be from {said} s, is from {shown} s")
    late[rate] = min(second - time for time, second in found)
as_told = abs(late["1"] - 0.48) < 0.01 and abs(late["1/4"] - 1.96) < 0.01 and abs(late["1:round=up"]) < 0.01
if not as_told:
    print("The behaviour has changed.", file=sys.stderr)
sys.exit(0 if as_told else 1)
PYTHON
