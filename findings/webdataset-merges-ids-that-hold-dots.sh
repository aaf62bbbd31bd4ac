#!/usr/bin/env bash
# Finding: webdataset writes clips whose ids hold dots, and reads several of them back as one sample.
# Versions: webdataset 1.0.2, numpy 2.4.6 (Python 3.11)
# Expected: what TarWriter accepted as a key is the key that comes back; a key that cannot come back is refused.
# Behaviour: a key ends at the first dot. LSMDC, and other sets of film clips, name a clip by its times, with dots: all clips of
#   one hour of a film come back as one sample whose fields are named by the rest of the id, and the clips are counted,
#   shuffled and split as that. Only who asks for a field by name hears of it, and with a handler that passes over
#   samples with errors, as recipes have it, nobody does: nothing is left.
# Seen: (ids as LSMDC forms them, from two films)
#   written: 4 clips
#   read: 2 samples, with 3 arrays, 1 array
#   asked for "npy", samples with errors passed over: 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'webdataset==1.0.2' 'numpy==2.4.6'
env/bin/python - <<'PYTHON'
import sys

import numpy as np
import webdataset

CLIPS = [
    "0001_A_Film_00.00.32.022-00.00.33.000",
    "0001_A_Film_00.00.34.100-00.00.36.200",
    "0001_A_Film_00.51.02.000-00.51.04.500",
    "0002_Another_00.00.10.000-00.00.12.000",
]
with webdataset.TarWriter("clips.tar") as shard:
    for clip in CLIPS:
        shard.write({"__key__": clip, "npy": np.ones((2, 4), np.float32)})
print(f"written: {len(CLIPS)} clips")
samples = list(webdataset.WebDataset("clips.tar", shardshuffle=False).decode())
arrays = [sum(isinstance(value, np.ndarray) for value in sample.values()) for sample in samples]
print(f"read: {len(samples)} samples, with", ", ".join(f"{n} array{'s' * (n > 1)}" for n in arrays))
passed_over = webdataset.WebDataset("clips.tar", shardshuffle=False, handler=webdataset.ignore_and_continue)
rows = list(passed_over.decode().to_tuple("npy", handler=webdataset.ignore_and_continue))
print(f'asked for "npy", samples with errors passed over: {len(rows)}')
as_told = (arrays, rows) == ([3, 1], [])
if not as_told:
    print("The behaviour has changed.", file=sys.stderr)
sys.exit(0 if as_told else 1)
PYTHON
