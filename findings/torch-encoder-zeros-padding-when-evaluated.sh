#!/usr/bin/env bash
# Finding: torch's TransformerEncoder puts zeros at padded positions under eval() and no_grad(), and numbers everywhere else.
# Versions: torch 2.13.0, numpy 2.4.6 (Python 3.11)
# Expected: without dropout the three ways to call a module give the same numbers: train(), eval(), eval() and no_grad().
# Behaviour: under no_grad() and eval() together another path packs the sequences and fills up what comes back with zeros; in
#   training these positions hold numbers like those of frames. Nobody should read what a mask covers, but a mean or a maximum over
#   all positions is common: it is trained with one kind of padding and tested with the other. A validation loss without
#   no_grad() does not show it, and an odd number of heads or norm_first=True have one path alone, so the same code agrees there.
#   All that is printed is that nested tensors are a prototype.
# Seen: four sequences of 2 to 8 frames, no dropout; the largest difference to train()
#   of frames that are not padded: eval() 0.0, with no_grad() 0.0
#   of the mean over all positions: eval() 0.0, with no_grad() 1.1
#   of the maximum over all positions: eval() 0.0, with no_grad() 2.0
#   the mean, with an odd number of heads: eval() 0.0, with no_grad() 0.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'torch==2.13.0' 'numpy==2.4.6'
env/bin/python -W ignore - <<'PYTHON'
import sys

import torch

lengths = torch.tensor([8, 6, 3, 2])
padded = torch.arange(8) >= lengths[:, None]


def differences(heads, pooled):
    """Returns the largest differences of eval(), and of eval() under no_grad(), to train()."""
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(12, heads, 24, dropout=0.0, batch_first=True)
    encoder = torch.nn.TransformerEncoder(layer, 2)
    frames = torch.randn(4, 8, 12)
    trained = pooled(encoder.train()(frames, src_key_padding_mask=padded))
    evaluated = pooled(encoder.eval()(frames, src_key_padding_mask=padded))
    with torch.no_grad():
        packed = pooled(encoder(frames, src_key_padding_mask=padded))
    return [round((one - trained).abs().max().item(), 1) for one in (evaluated, packed)]


cases = {
    "of frames that are not padded": (2, lambda states: states[~padded]),
    "of the mean over all positions": (2, lambda states: states.mean(dim=1)),
    "of the maximum over all positions": (2, lambda states: states.amax(dim=1)),
    "the mean, with an odd number of heads": (3, lambda states: states.mean(dim=1)),
}
found = {what: differences(*case) for what, case in cases.items()}
for what, (evaluated, packed) in found.items():
    print(f"{what}: eval() {evaluated}, with no_grad() {packed}")
same, mean, maximum, odd = found.values()
as_told = same == odd == [0.0, 0.0] and mean[0] == maximum[0] == 0.0 and min(mean[1], maximum[1]) > 0.1
if not as_told:
    print("The behaviour has changed.", file=sys.stderr)
sys.exit(0 if as_told else 1)
PYTHON
