"""Reads a folder of event files with TensorBoard's own reader, and prints what it finds."""
import json
import sys

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import metadata
from tensorboard.util import tensor_util

reader = event_accumulator.EventAccumulator(sys.argv[1], size_guidance={event_accumulator.TENSORS: 0})
reader.Reload()
for tag in sorted(reader.Tags()["scalars"]):
    points = reader.Scalars(tag)
    assert [p.step for p in points] == sorted({p.step for p in points}), f"{tag}: a step stands twice"
    print(f"{tag}: {len(points)} points, the last one {points[-1].value:.4f} at step {points[-1].step}")
text = tensor_util.make_ndarray(reader.Tensors("configuration")[-1].tensor_proto).item().decode()
configuration = json.loads(text.removeprefix("```json\n").removesuffix("\n```"))
print("configuration:", configuration["name"], configuration["model"])
content = reader.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
parameters = metadata.parse_session_start_info_plugin_data(content).hparams
print("hparams:", len(parameters), "of them train.epochs", parameters["train.epochs"].number_value)
content = reader.SummaryMetadata(metadata.SESSION_END_INFO_TAG).plugin_data.content
print("session:", metadata.parse_session_end_info_plugin_data(content).status)
assert abs(reader.Scalars("test/accuracy")[-1].value - json.load(open(sys.argv[2]))["accuracy"]) < 1e-6
