#!/usr/bin/env bash
# Finding: a backward seek in MPEG-TS lands after the frame that was asked for, in PyAV and in OpenCV.
# Versions: av 18.1.0 (FFmpeg 8.1.2), opencv-python-headless 5.0.0.93 (Python 3.11)
# Expected: seek(t, backward=True) lands on a key frame at or before t, as in MP4 and Matroska; set(CAP_PROP_POS_FRAMES, n)
#   and read() give frame n.
# Behaviour: the first frame that comes after PyAV's seek is a later one for all of these, OpenCV's for some, and nothing is
#   raised. "Decode until the time is reached", the usual remedy, takes that later frame for the one wanted. Only whoever
#   compares its time can tell; going further back, by seconds, helps.
# Seen: (a clip of 250 frames, 25 a second, key frames every 50; each frame carries its number)
#   asked for 0 30 60 90 120 150 180
#   PyAV mp4 0 0 50 50 100 150 150
#   PyAV ts 50 50 100 100 150 200 200
#   OpenCV mp4 0 30 60 90 120 150 180
#   OpenCV ts 50 51 60 90 120 150 180
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet 'av==18.1.0' 'opencv-python-headless==5.0.0.93'
OPENCV_FFMPEG_LOGLEVEL=-8 env/bin/python - <<'PYTHON'
import sys

import av
import cv2
import numpy as np

ASKED = [0, 30, 60, 90, 120, 150, 180]


def number(picture):
    return sum(int(picture[32, 16 * bit + 8].mean() > 125) << bit for bit in range(8))


def write(name):
    noise = np.random.default_rng(0).integers(0, 256, (64, 128, 3), np.uint8)
    with av.open(name, "w") as container:
        options = {"g": "50", "keyint_min": "50", "sc_threshold": "0", "bf": "2"}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 128, 128, "yuv420p"
        for n in range(250):
            bits = np.repeat([[235 * (n >> bit & 1) for bit in range(8)]], 16, axis=1).repeat(64, axis=0)
            picture = np.concatenate([np.repeat(bits[..., None], 3, axis=2), np.roll(noise, n, axis=1)]).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def by_pyav(name):
    with av.open(name) as container:
        stream = container.streams.video[0]
        times = [frame.pts for frame in container.decode(stream)]
    found = []
    for n in ASKED:
        with av.open(name) as container:
            stream = container.streams.video[0]
            container.seek(times[n], stream=stream, backward=True)
            found.append(number(next(container.decode(stream)).to_ndarray(format="rgb24")))
    return found


def by_opencv(name):
    found = []
    for n in ASKED:
        video = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
        video.set(cv2.CAP_PROP_POS_FRAMES, n)
        was_read, picture = video.read()
        found.append(number(picture) if was_read else None)
    return found


late = {}
print("asked for", *ASKED)
for library, read in (("PyAV", by_pyav), ("OpenCV", by_opencv)):
    for form in ("mp4", "ts"):
        write(f"clip.{form}")
        found = read(f"clip.{form}")
        print(library, form, *found)
        late[library, form] = sum(got is None or got > n for got, n in zip(found, ASKED))
as_told = late["PyAV", "ts"] > 0 and late["OpenCV", "ts"] > 0 and late["PyAV", "mp4"] == late["OpenCV", "mp4"] == 0
sys.exit(0 if as_told else 1)
PYTHON
