"""Runs SavedModels with TensorFlow's own Python: `python saved_models.py DIRECTORY`.

DIRECTORY has images.json ({"shape", "data"}) and a folder for each model; each is given its outputs.json.
"""
import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

root = Path(sys.argv[1])
images = json.loads((root / "images.json").read_text())
pixels = np.array(images["data"], np.uint8).reshape(images["shape"])
for file in root.glob("*/saved_model.pb"):
    model = tf.saved_model.load(str(file.parent))
    outputs = model.signatures["serving_default"](images=tf.constant(pixels))
    values = {name: value.numpy().flatten().tolist() for name, value in outputs.items()}
    (file.parent / "outputs.json").write_text(json.dumps(values))
