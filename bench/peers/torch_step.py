"""Steps in PyTorch, in turns: `python bench/peers/torch_step.py eager|channels-last|compile SPEC`, SPEC being JSON."""
import json
import sys

import torch
import torch.nn.functional as F
from torch import nn

import torch_models
import workload

form, spec = sys.argv[1], json.loads(sys.argv[2])
torch.manual_seed(1)
net = torch_models.build(spec["model"])
trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
layout = torch.channels_last if form == "channels-last" else torch.contiguous_format
net = net.to(memory_format=layout)
apply = torch.compile(net) if form == "compile" else net
images = torch.from_numpy(workload.pixels(spec["batch"], spec["side"])).permute(0, 3, 1, 2)
images = images.contiguous(memory_format=layout)
labels = torch.from_numpy(workload.labels(spec["batch"]))
optimiser = torch.optim.SGD(
    trained,
    lr=workload.LEARNING_RATE,
    momentum=workload.MOMENTUM,
    nesterov=True,
    weight_decay=workload.WEIGHT_DECAY,
)


def normalised():
    return (images.float() / 255 - workload.MEAN) / workload.STD


def train():
    loss = F.cross_entropy(apply(normalised()), labels)
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(trained, workload.CLIP_NORM)
    optimiser.step()
    return loss.item()


def evaluate():
    with torch.no_grad():
        return apply(normalised()).numpy()


net.train(spec["mode"] == "train")
step = train if spec["mode"] == "train" else evaluate
workload.take_turns(step, spec, parameters=sum(parameter.numel() for parameter in trained))
