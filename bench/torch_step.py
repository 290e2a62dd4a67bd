"""Milliseconds of one PyTorch training step: `python bench/torch_step.py wrn-16-4 64`. Prints one line of JSON."""
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

SECONDS = 12


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        out = 4 * width
        self.branch = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, out, 1, bias=False),
            nn.BatchNorm2d(out),
        )
        self.stride, self.missing = stride, out - inputs

    def forward(self, x):
        identity = F.avg_pool2d(x, 2) if self.stride == 2 else x
        return F.pad(identity, (0, 0, 0, 0, 0, self.missing)) + self.branch(x)


class Wide(nn.Module):
    def __init__(self, inputs, out, stride):
        super().__init__()
        self.activation = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(inplace=True))
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(inplace=True),
            nn.Conv2d(out, out, 3, 1, 1, bias=False),
        )
        self.shortcut = nn.Conv2d(inputs, out, 1, stride, bias=False) if inputs != out else None

    def forward(self, x):
        activated = self.activation(x)
        return (x if self.shortcut is None else self.shortcut(activated)) + self.branch(activated)


def network(stem, blocks, channels):
    return nn.Sequential(
        *stem,
        *blocks,
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(channels, 10),
    )


def pyramidnet(depth, alpha):
    per_group = (depth - 2) // 9
    total = 3 * per_group
    blocks, channels = [], 16
    for i in range(total):
        width = round(16 + alpha / total * (i + 1))
        blocks.append(Bottleneck(channels, width, 2 if i in (per_group, 2 * per_group) else 1))
        channels = 4 * width
    return network([nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)], blocks, channels)


def wrn(depth, width):
    per_group = (depth - 4) // 6
    blocks, channels = [], 16
    for i in range(3 * per_group):
        out = 16 * width * 2 ** (i // per_group)
        blocks.append(Wide(channels, out, 2 if i in (per_group, 2 * per_group) else 1))
        channels = out
    return network([nn.Conv2d(3, 16, 3, 1, 1, bias=False)], blocks, channels)


family, depth, width = sys.argv[1].split("-")
batch = int(sys.argv[2])
net = {"pyramidnet": pyramidnet, "wrn": wrn}[family](int(depth), int(width))
optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
x = torch.randn(batch, 3, 32, 32)
y = torch.arange(batch) % 10


def step():
    loss = F.cross_entropy(net(x), y)
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimiser.step()
    return loss.item()


step()
times, start = [], time.perf_counter()
while len(times) < 3 or time.perf_counter() - start < SECONDS:
    before = time.perf_counter()
    step()
    times.append(time.perf_counter() - before)
print(
    json.dumps(
        {
            "parameters": sum(p.numel() for p in net.parameters()),
            "best": 1000 * min(times),
            "imagesPerSecond": batch / min(times),
            "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
