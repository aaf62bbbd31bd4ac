#!/usr/bin/env bash
# Finding: OpenCV up to 4.12 reads HD video in other colours than other readers do, and than OpenCV does from 4.13 on.
# Versions: opencv-python-headless 4.12.0.88 (4.11 likewise) and 5.0.0.93 (4.13 likewise), av 18.1.0 (FFmpeg 8.1.2), numpy 2.2.6 (Python 3.11)
# Expected: a file says by which matrix its colours were made (BT.709 for HD, BT.601 for SD) and whether 0 or 16 is black; a reader
#   that gives RGB applies that, as FFmpeg and PyAV do.
# Behaviour: up to 4.12 OpenCV takes BT.601 whatever the file says, and 16 for black in VP9. Reds and greens of HD video are off by
#   29 of 255 here, and where 0 is black what is dark or bright is cut off. decord 0.6.0 and imageio-ffmpeg 0.6.0 apply what is said. So
#   features of one paper were made of other colours than those of the next, and the same code on the same files gives other
#   pixels after an upgrade of OpenCV; nothing is printed either way.
# Seen: four patches of colour, as RGB, and the largest difference to PyAV's
#   OpenCV 4.12.0, H.264 BT.601: 219 29 30, 28 199 28, 28 29 218, 199 158 129 (off by 0)
#   OpenCV 4.12.0, H.264 BT.709: 201 8 30, 42 228 34, 31 17 211, 196 156 131 (off by 29)
#   OpenCV 4.12.0, VP9 BT.709, 0 is black: 212 0 17, 33 246 24, 17 2 221, 207 163 133 (off by 46)
#   PyAV and OpenCV 5.0.0, H.264 BT.601: 219 29 30, 28 199 28, 28 29 218, 199 158 129 (off by 0)
#   PyAV and OpenCV 5.0.0, H.264 BT.709: 217 28 28, 29 199 28, 29 30 219, 200 158 130 (off by 0)
#   PyAV and OpenCV 5.0.0, VP9 BT.709, 0 is black: 218 29 29, 29 200 29, 29 30 218, 199 159 128 (off by 0)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for release in 4.12.0.88 5.0.0.93; do
  python3 -m venv "$release"
  "$release/bin/pip" install --quiet --disable-pip-version-check 'av==18.1.0' 'numpy==2.2.6' "opencv-python-headless==$release"
done
5.0.0.93/bin/python - <<'PYTHON'
import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

COLOURS = [(220, 30, 30), (30, 200, 30), (30, 30, 220), (200, 160, 130)]
FILES = {
    "H.264 BT.601": ("601.mp4", "libx264", Colorspace.ITU601, ColorRange.MPEG),
    "H.264 BT.709": ("709.mp4", "libx264", Colorspace.ITU709, ColorRange.MPEG),
    "VP9 BT.709, 0 is black": ("full.webm", "libvpx-vp9", Colorspace.ITU709, ColorRange.JPEG),
}
patches = np.repeat(np.repeat(np.uint8([COLOURS]), 180, axis=0), 80, axis=1)
for name, codec, matrix, levels in FILES.values():
    with av.open(name, "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        told = stream.codec_context
        told.colorspace, told.color_range = (1 if matrix == Colorspace.ITU709 else 5), int(levels)
        frame = av.VideoFrame.from_ndarray(patches, format="rgb24")
        container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace=matrix, dst_color_range=levels)))
        container.mux(stream.encode())
PYTHON
cat > read.py <<'PYTHON'
import json

import av
import cv2

found = {}
for what, name in (("H.264 BT.601", "601.mp4"), ("H.264 BT.709", "709.mp4"), ("VP9 BT.709, 0 is black", "full.webm")):
    with av.open(name) as container:
        pictures = {"PyAV": next(container.decode(video=0)).to_ndarray(format="rgb24")}
    pictures[f"OpenCV {cv2.__version__}"] = cv2.VideoCapture(name).read()[1][..., ::-1]
    for reader, picture in pictures.items():
        found[f"{reader}, {what}"] = [[int(value) for value in picture[90, 40 + 80 * patch]] for patch in range(4)]
print(json.dumps(found))
PYTHON
4.12.0.88/bin/python read.py >old.json
5.0.0.93/bin/python read.py >new.json
5.0.0.93/bin/python - <<'PYTHON'
import json
import sys
from pathlib import Path

found = json.loads(Path("old.json").read_text()) | json.loads(Path("new.json").read_text())
off = {}
for case, colours in sorted(found.items(), key=lambda item: (item[0].split(", ", 1)[1], item[0])):
    reader, what = case.split(", ", 1)
    right = found[f"PyAV, {what}"]
    off[case] = max(abs(one - other) for row, true in zip(colours, right) for one, other in zip(row, true))
    print(f"{case}:", ", ".join(" ".join(map(str, row)) for row in colours), f"(off by {off[case]})")
old = [off[f"OpenCV 4.12.0, {what}"] for what in ("H.264 BT.601", "H.264 BT.709", "VP9 BT.709, 0 is black")]
new = [value for case, value in off.items() if case.startswith("OpenCV 5")]
as_told = old[0] <= 2 and min(old[1:]) > 15 and len(new) == 3 and max(new) <= 2
if not as_told:
    print("The behaviour has changed.", file=sys.stderr)
sys.exit(0 if as_told else 1)
PYTHON
