#!/usr/bin/env bash
# Finding: a model made small by onnxruntime's quantize_dynamic() embeds an input otherwise beside other inputs.
# Versions: onnxruntime 1.32.0, onnx 1.23.2, numpy 2.4.6 (Python 3.11)
# Expected: the rows of a batch are computed one by one; int8 costs accuracy, the same for an input whenever it is asked.
# Behaviour: "dynamic" is one scale and one zero point for the whole batch, out of its smallest and its largest number. One
#   caption with a large activation (a rare word, padding) coarsens all others of its batch, down to zeros. So a caption is
#   not where it was when it was embedded in another batch, and a retrieval score depends on the size of batches and on
#   the order of captions. Batches of one, or weights alone in int8, do not have this.
# Seen: one layer; the cosine of what an input becomes alone and what it becomes beside one other, K times as large
#   float32: K=1 1.000, K=20 1.000, K=100 1.000, K=1000 1.000
#   int8: K=1 1.000, K=20 0.997, K=100 0.948, K=1000 0.000 (zeros)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'onnxruntime==1.32.0' 'onnx==1.23.2' 'numpy==2.4.6'
env/bin/python - <<'PYTHON'
import logging
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import quantize_dynamic

logging.disable(logging.WARNING)
rng = np.random.default_rng(0)
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 64]) for name in "xy")
weights = numpy_helper.from_array(rng.normal(size=(64, 64)).astype(np.float32), "w")
graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "layer", [x], [y], [weights])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), "float32.onnx")
quantize_dynamic("float32.onnx", "int8.onnx")
one, other = rng.normal(size=(2, 64)).astype(np.float32)
found = {}
for name in ("float32", "int8"):
    session = onnxruntime.InferenceSession(f"{name}.onnx", providers=["CPUExecutionProvider"])
    (alone,) = session.run(None, {"x": one[None]})[0]
    found[name] = []
    for times in (1, 20, 100, 1000):
        beside = session.run(None, {"x": np.stack([one, times * other])})[0][0]
        lengths = np.linalg.norm(alone) * np.linalg.norm(beside)
        found[name].append((times, float(alone @ beside / lengths) if beside.any() else 0.0, beside.any()))
    print(f"{name}:", ", ".join(f"K={k} {cosine:.3f}{'' if any_ else ' (zeros)'}" for k, cosine, any_ in found[name]))
same = all(cosine > 0.9999 for _, cosine, _ in found["float32"])
worse = [cosine for _, cosine, _ in found["int8"]]
as_told = same and worse[0] > 0.999 > worse[1] > worse[2] > worse[3] == 0
if not as_told:
    print("The behaviour has changed.", file=sys.stderr)
sys.exit(0 if as_told else 1)
PYTHON
