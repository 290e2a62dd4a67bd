"""airbench's own recipe (Jordan 2024, arXiv:2404.00498, the 94 % one) in PyTorch on the CPU, float32.

    python bench/peers/torch_airbench.py DATA_DIR [--epochs 9.9] [--widths 64,256,256] [--batch 1024] [--seed 1]
        [--steps N]

DATA_DIR is CIFAR-10 as a folder of images, train/CLASS/* and test/CLASS/*. Prints a line of JSON at the end of each
epoch (test accuracy of the plain images, seconds of training so far), and at the end the accuracy with the six views.
With --steps it only takes that many steps after two others, and prints the seconds of each.
"""
import argparse
import json
import math
import time

import numpy as np
import torch
import torch.nn.functional as F
from torchvision.datasets import ImageFolder

import torch_models

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
MOMENTUM, LEARNING_RATE, WEIGHT_DECAY, BIAS_SCALE = 0.85, 11.5, 0.0153, 64
LABEL_SMOOTHING, TRANSLATE, WHITEN_BIAS_EPOCHS = 0.2, 2, 3

arguments = argparse.ArgumentParser()
arguments.add_argument("data")
arguments.add_argument("--epochs", type=float, default=9.9)
arguments.add_argument("--widths", default="64,256,256")
arguments.add_argument("--batch", type=int, default=1024)
arguments.add_argument("--seed", type=int, default=1)
arguments.add_argument("--steps", type=int, default=0)
options = arguments.parse_args()
torch.manual_seed(options.seed)


def load(split):
    folder = ImageFolder(f"{options.data}/{split}")
    pixels = torch.from_numpy(np.stack([np.asarray(image) for image, _ in folder]))
    images = (pixels.float() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    return images.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last), torch.tensor(folder.targets)


def start(net, images):
    """Whitening from 5,000 images, and filters that begin as the identity."""
    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d) and module.kernel_size == (3, 3):
            torch.nn.init.dirac_(module.weight.data[: module.in_channels])
    patches = images[:5000].unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 12).double()
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (vectors / torch.sqrt(values + 5e-4)).T.flip(0).reshape(-1, 3, 2, 2).float()
    net[0].weight.data.copy_(torch.cat([filters, -filters]))


def groups(net):
    """The optimiser's groups: decay is of the weights themselves, so that rate and decay are told apart."""
    per_kilostep = 1024 * (1 + 1 / (1 - MOMENTUM))
    rate, decay = LEARNING_RATE / per_kilostep, WEIGHT_DECAY * options.batch / per_kilostep
    trained = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
    norms = [p for name, p in trained if "bias" in name and not name.startswith("0.")]
    others = [p for name, p in trained if not any(p is other for other in norms)]
    bias_rate = rate * BIAS_SCALE
    return [
        {"params": norms, "lr": bias_rate, "weight_decay": decay / bias_rate, "base": bias_rate},
        {"params": others, "lr": rate, "weight_decay": decay / rate, "base": rate},
    ]


class Lookahead:
    def __init__(self, net):
        self.slow = {name: value.clone() for name, value in net.state_dict().items() if value.is_floating_point()}

    def update(self, net, decay):
        with torch.no_grad():
            for name, value in net.state_dict().items():
                if value.is_floating_point():
                    self.slow[name].lerp_(value, 1 - decay)
                    value.copy_(self.slow[name])


def augmented(images, epoch):
    """Mirrored in every other epoch, half of them in the even ones, and moved by up to two pixels."""
    mirrored = images if epoch % 2 == 0 else images.flip(-1)
    padded = F.pad(mirrored, (TRANSLATE,) * 4, "reflect")
    side, moves = images.shape[-1], torch.randint(0, 2 * TRANSLATE + 1, (len(images), 2))
    out = torch.empty_like(images, memory_format=torch.channels_last)
    for y in range(2 * TRANSLATE + 1):
        for x in range(2 * TRANSLATE + 1):
            chosen = (moves[:, 0] == y) & (moves[:, 1] == x)
            out[chosen] = padded[chosen][:, :, y : y + side, x : x + side]
    return out


def views(net, images):
    def both(batch):
        return 0.5 * net(batch) + 0.5 * net(batch.flip(-1))

    padded = F.pad(images, (1,) * 4, "reflect")
    side = images.shape[-1]
    return 0.5 * both(images) + 0.25 * both(padded[:, :, :side, :side]) + 0.25 * both(padded[:, :, 2:, 2:])


def accuracy(net, images, labels, logits):
    net.eval()
    with torch.no_grad():
        right = sum(
            (logits(net, images[i : i + 1000]).argmax(1) == labels[i : i + 1000]).sum().item()
            for i in range(0, len(images), 1000)
        )
    net.train()
    return right / len(images)


train_images, train_labels = load("train")
net = torch_models.airbench([int(width) for width in options.widths.split(",")], 2, 1 / 9)
net = net.to(memory_format=torch.channels_last)
start(net, train_images)
optimiser = torch.optim.SGD(groups(net), momentum=MOMENTUM, nesterov=True)
lookahead = Lookahead(net)
per_epoch = len(train_images) // options.batch
total = math.ceil(per_epoch * options.epochs)
peak = int(0.23 * total)
triangle = np.interp(np.arange(total + 1), [0, peak, total], [0.2, 1, 0.07])
half = torch.rand(len(train_images)) < 0.5
train_images[half] = train_images[half].flip(-1)


def step(images, labels, number):
    for group in optimiser.param_groups:
        group["lr"] = group["base"] * triangle[number]
    loss = F.cross_entropy(net(images), labels, label_smoothing=LABEL_SMOOTHING, reduction="sum")
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    if (number + 1) % 5 == 0:
        lookahead.update(net, 0.95**5 * ((number + 1) / total) ** 3)


if options.steps > 0:
    times = []
    for number in range(options.steps + 2):
        begin = time.perf_counter()
        step(augmented(train_images[: options.batch], 0), train_labels[: options.batch], number)
        times.append(time.perf_counter() - begin)
    print(json.dumps({"secondsOfSteps": times[2:], "steps": total}))
    raise SystemExit

test_images, test_labels = load("test")
done, seconds = 0, 0.0
for epoch in range(math.ceil(options.epochs)):
    begin = time.perf_counter()
    net[0].bias.requires_grad = epoch < WHITEN_BIAS_EPOCHS
    moved, order = augmented(train_images, epoch), torch.randperm(len(train_images))
    for batch in order[: per_epoch * options.batch].split(options.batch):
        if done == total:
            break
        step(moved[batch].contiguous(memory_format=torch.channels_last), train_labels[batch], done)
        done += 1
    if done == total:
        lookahead.update(net, 1.0)
    seconds += time.perf_counter() - begin
    plain = accuracy(net, test_images, test_labels, lambda net, images: net(images))
    print(json.dumps({"epoch": epoch + 1, "step": done, "seconds": seconds, "plain": plain}), flush=True)
print(json.dumps({"views": accuracy(net, test_images, test_labels, views), "seconds": seconds, "steps": total}))
