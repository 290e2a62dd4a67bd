"""The networks of bench/harness/rows.mjs in PyTorch."""
import torch.nn.functional as F
from torch import nn


def conv(inputs, out, kernel=3, stride=1):
    return nn.Conv2d(inputs, out, kernel, stride, kernel // 2, bias=False)


def relu():
    return nn.ReLU(inplace=True)


def classifier(features, channels):
    return nn.Sequential(*features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


class Pyramid(nn.Module):
    """A residual branch beside a shortcut that is pooled and padded with zero channels."""

    def __init__(self, branch, stride, missing):
        super().__init__()
        self.branch = nn.Sequential(*branch)
        self.stride, self.missing = stride, missing

    def forward(self, x):
        identity = F.avg_pool2d(x, 2) if self.stride == 2 else x
        return F.pad(identity, (0, 0, 0, 0, 0, self.missing)) + self.branch(x)


def basic(inputs, width, stride):
    norms = [nn.BatchNorm2d(c) for c in (inputs, width, width)]
    branch = [norms[0], conv(inputs, width, 3, stride), norms[1], relu(), conv(width, width), norms[2]]
    return Pyramid(branch, stride, width - inputs), width


def bottleneck(inputs, width, stride):
    out = 4 * width
    norms = [nn.BatchNorm2d(c) for c in (inputs, width, width, out)]
    first = [norms[0], conv(inputs, width, 1), norms[1], relu()]
    branch = [*first, conv(width, width, 3, stride), norms[2], relu(), conv(width, out, 1), norms[3]]
    return Pyramid(branch, stride, out - inputs), out


def pyramidnet(block, depth, alpha):
    convolutions, make = {"basic": (2, basic), "bottleneck": (3, bottleneck)}[block]
    per_group = (depth - 2) // (3 * convolutions)
    total, channels, blocks = 3 * per_group, 16, []
    for i in range(total):
        width = round(16 + alpha * (i + 1) / total)
        module, channels = make(channels, width, 2 if i in (per_group, 2 * per_group) else 1)
        blocks.append(module)
    stem = [conv(3, 16), nn.BatchNorm2d(16)]
    return classifier([*stem, *blocks, nn.BatchNorm2d(channels), relu()], channels)


class Wide(nn.Module):
    """A pre-activation block whose shortcut, where the width changes, starts at the first ReLU."""

    def __init__(self, inputs, out, stride):
        super().__init__()
        self.activation = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU())
        self.branch = nn.Sequential(conv(inputs, out, 3, stride), nn.BatchNorm2d(out), relu(), conv(out, out))
        self.shortcut = conv(inputs, out, 1, stride) if inputs != out else None

    def forward(self, x):
        activated = self.activation(x)
        return (x if self.shortcut is None else self.shortcut(activated)) + self.branch(activated)


def wide_resnet(depth, width):
    per_group, channels, blocks = (depth - 4) // 6, 16, []
    for i in range(3 * per_group):
        out = 16 * width * 2 ** (i // per_group)
        blocks.append(Wide(channels, out, 2 if i in (per_group, 2 * per_group) else 1))
        channels = out
    return classifier([conv(3, 16), *blocks, nn.BatchNorm2d(channels), relu()], channels)


def simple_cnn(width):
    layers, channels = [], 3
    for stage in range(3):
        for _ in range(2):
            out = width * 2**stage
            layers += [conv(channels, out), nn.BatchNorm2d(out), relu()]
            channels = out
        if stage < 2:
            layers.append(nn.MaxPool2d(2))
    return classifier(layers, channels)


class Scaled(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, x):
        return x * self.scale


def airbench(widths, convolutions, scale):
    assert convolutions == 2

    def norm(channels):
        module = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
        module.weight.requires_grad = False
        return module

    whiten = nn.Conv2d(3, 24, 2)
    whiten.weight.requires_grad = False
    layers, channels = [whiten, nn.GELU()], 24
    for out in widths:
        first = [conv(channels, out), nn.MaxPool2d(2), norm(out), nn.GELU()]
        layers += [*first, conv(out, out), norm(out), nn.GELU()]
        channels = out
    head = nn.Linear(channels, 10, bias=False)
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), head, Scaled(scale))


FAMILIES = {"PyramidNet": pyramidnet, "WideResNet": wide_resnet, "SimpleCnn": simple_cnn, "Airbench": airbench}


def build(model):
    """The network of a configuration as `makeNetwork` takes it."""
    options = {key: value for key, value in model.items() if key != "_tag"}
    return FAMILIES[model["_tag"]](**options)
