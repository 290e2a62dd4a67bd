"""Checks ONNX models and runs them with onnxruntime: `python onnx_models.py DIRECTORY`.

DIRECTORY has NAME.onnx and the tensor it takes as NAME.json ({"dtype", "shape", "data"}); each is given its NAME.out.json.
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

for file in Path(sys.argv[1]).glob("*.onnx"):
    onnx.checker.check_model(onnx.load(file), full_check=True)
    given = json.loads(file.with_suffix(".json").read_text())
    tensor = np.array(given["data"], given["dtype"]).reshape(given["shape"])
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    outputs = session.run(["logits", "probabilities"], {session.get_inputs()[0].name: tensor})
    values = [output.flatten().tolist() for output in outputs]
    file.with_suffix(".out.json").write_text(json.dumps(values))
