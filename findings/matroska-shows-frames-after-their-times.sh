#!/usr/bin/env bash
# Finding: the same coded pictures, moved from MP4 to Matroska, give other frames at the same times.
# Versions: av 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6 (Python 3.11)
# Expected: copying a stream to another container changes no picture and no time: frame 2 of 30 a second comes at 2/30 s.
# Behaviour: Matroska and WebM, as downloads often are, store times in whole milliseconds, rounded. Frame 2 comes at 67 ms,
#   and who asks at 2/30 s, or 15 times a second, for what is on screen gets frame 1: a third of all frames that are
#   taken are other ones. A player shows no difference; a digest of features does. Half a millisecond of patience helps.
# Seen: a clip of 60 frames, 30 a second, asked for what is on screen 15 times a second
#   mp4: 0 2 4 6 8 10 12 14 16 18
#   mkv: 0 1 4 6 7 10 12 13 16 18
#   taken otherwise: 10 of 30
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'av==18.1.0' 'numpy==2.4.6'
env/bin/python - <<'PYTHON'
import sys
from fractions import Fraction

import av
import numpy as np

with av.open("clip.mp4", "w") as container:
    stream = container.add_stream("libx264", rate=30)
    stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
    for n in range(60):
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), 4 * n, np.uint8), format="rgb24")))
    container.mux(stream.encode())
with av.open("clip.mp4") as source, av.open("clip.mkv", "w") as copy:
    stream = copy.add_stream_from_template(source.streams.video[0])
    for packet in source.demux(video=0):
        if packet.dts is not None:
            packet.stream = stream
            copy.mux(packet)


def on_screen(name):
    """Returns the place of the last frame at or before each time, by the times that the file holds, exactly."""
    with av.open(name) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    return [max(place for place, time in enumerate(times) if time <= Fraction(step, 15)) for step in range(30)]


found = {name: on_screen(f"clip.{name}") for name in ("mp4", "mkv")}
for name, places in found.items():
    print(f"{name}:", *places[:10])
otherwise = sum(one != other for one, other in zip(*found.values()))
print(f"taken otherwise: {otherwise} of 30")
as_told = found["mp4"] == list(range(0, 60, 2)) and otherwise == 10
if not as_told:
    print("The behaviour has changed.", file=sys.stderr)
sys.exit(0 if as_told else 1)
PYTHON
