"""Steps in PyTorch, in turns: `python bench/peers/torch_step.py eager|channels-last|compile SPEC`, SPEC being JSON."""
import json
import sys

import torch
import torch.nn.functional as F
from torch import nn

import torch_models
import workload

form, spec = sys.argv[1], json.loads(sys.argv[2])
device = torch.device("cuda" if spec.get("device", "cpu").startswith("gpu") else "cpu")
if device.type == "cuda":
    # As one does for images of one size; and products in TensorFloat-32, as convolutions are by default.
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
bfloat16 = spec.get("precision") == "bfloat16"
torch.manual_seed(1)
net = torch_models.build(spec["model"])
trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
layout = torch.channels_last if form == "channels-last" else torch.contiguous_format
net = net.to(device, memory_format=layout)
apply = torch.compile(net) if form == "compile" else net
images = torch.from_numpy(workload.pixels(spec["batch"], spec["side"])).permute(0, 3, 1, 2)
images = images.contiguous(memory_format=layout)
labels = torch.from_numpy(workload.labels(spec["batch"]))
if device.type == "cuda":
    images, labels = images.pin_memory(), labels.pin_memory()
optimiser = torch.optim.SGD(
    trained,
    lr=workload.LEARNING_RATE,
    momentum=workload.MOMENTUM,
    nesterov=True,
    weight_decay=workload.WEIGHT_DECAY,
)


def logits():
    """Of a batch, which comes from the processor's memory in every step."""
    normalised = (images.to(device, non_blocking=True).float() / 255 - workload.MEAN) / workload.STD
    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        return apply(normalised).float()


def train():
    loss = F.cross_entropy(logits(), labels.to(device, non_blocking=True))
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(trained, workload.CLIP_NORM)
    optimiser.step()
    return loss.item()


def evaluate():
    with torch.no_grad():
        return logits().cpu().numpy()


net.train(spec["mode"] == "train")
step = train if spec["mode"] == "train" else evaluate
workload.take_turns(step, spec, parameters=sum(parameter.numel() for parameter in trained))
