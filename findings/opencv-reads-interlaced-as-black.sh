#!/usr/bin/env bash
# Finding: OpenCV reads interlaced H.264 as black pictures and says that it read them.
# Versions: opencv-python-headless 5.0.0.93 and 4.12.0.88, av 18.1.0 (Python 3.11)
# Expected: read() returns the picture, as 4.12 does, or False.
# Behaviour: since 4.13 the frame is a buffer that nothing filled, mostly zeros, and read() is True for every one of them;
#   only a line on stderr tells. Features of camcorder material become features of black.
# Seen: (mean brightness of the clip's frames, each 119 or 120)
#   PyAV 18.1.0: 50 frames, 119
#   OpenCV 4.12.0: 50 frames read, 119
#   OpenCV 5.0.0: 50 frames read, 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for name in new old; do python3 -m venv "$name"; done
new/bin/pip install --quiet 'opencv-python-headless==5.0.0.93' 'av==18.1.0'
old/bin/pip install --quiet 'opencv-python-headless==4.12.0.88'
new/bin/python - <<'PYTHON'
import av
import numpy as np

with av.open("clip.mp4", "w") as container:
    options = {"flags": "+ildct+ilme", "x264-params": "tff=1"}
    stream = container.add_stream("libx264", rate=25, options=options)
    stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
    for number in range(50):
        picture = np.full((240, 320, 3), 120, np.uint8)
        picture[:, number * 6 : number * 6 + 8] = 160
        picture[:, number * 6 + 8 : number * 6 + 16] = 80
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
    container.mux(stream.encode())
with av.open("clip.mp4") as container:
    means = [frame.to_ndarray(format="rgb24").mean() for frame in container.decode(video=0)]
print(f"PyAV {av.__version__}: {len(means)} frames, {np.mean(means):.0f}")
PYTHON
cat > read.py <<'PYTHON'
import sys

import cv2
import numpy as np

video, means = cv2.VideoCapture("clip.mp4", cv2.CAP_FFMPEG), []
while True:
    was_read, frame = video.read()
    if not was_read:
        break
    means.append(frame.mean())
print(f"OpenCV {cv2.__version__}: {len(means)} frames read, {np.mean(means):.0f}")
as_told = len(means) == 50 and (np.mean(means) < 10 if sys.argv[1] == "black" else 110 < np.mean(means) < 130)
sys.exit(0 if as_told else 1)
PYTHON
old/bin/python read.py right 2>/dev/null
new/bin/python read.py black 2>/dev/null
