"""Images per second of torchvision's pipelines over Pillow on one core, and microseconds of each operation.

    python bench/peers/torchvision_augment.py all FILE.bin | SPEC

FILE.bin holds records of CIFAR-10's binary format. `all` prints one line of JSON: speeds of all pipelines and the
times of operations. SPEC, which is JSON, names one pipeline and the file, and has that pipeline take turns.
"""
import json
import sys
import time

import numpy as np
import torch
import torchvision.transforms as T
from PIL import Image
from torchvision.transforms.autoaugment import _apply_op

from workload import take_turns

torch.set_num_threads(1)
IMAGES, BATCH, REPEATS = 2000, 125, 3
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
MAGNITUDES = {
    "ShearX": 0.15, "ShearY": 0.15, "TranslateX": 7.0, "TranslateY": 7.0, "Rotate": 15.0, "Brightness": 0.45,
    "Color": 0.45, "Contrast": 0.45, "Sharpness": 0.45, "Posterize": 6, "Solarize": 128.0, "AutoContrast": 0.0,
    "Equalize": 0.0, "Invert": 0.0,
}

EVERYTHING = sys.argv[1] == "all"
spec = {"file": sys.argv[2]} if EVERYTHING else json.loads(sys.argv[1])
planes = np.fromfile(spec["file"], dtype=np.uint8).reshape(-1, 3073)[:IMAGES, 1:]
images = [Image.fromarray(image) for image in planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)]


class Cutout:
    def __call__(self, x):
        top, left = np.random.randint(32), np.random.randint(32)
        mask = torch.ones(32, 32)
        mask[max(0, top - 8) : top + 8, max(0, left - 8) : left + 8] = 0
        return x * mask


def best(function):
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def all_images_by(transforms):
    """A function that takes all images through a pipeline."""
    transform = T.Compose(transforms)

    def epoch():
        for start in range(0, IMAGES, BATCH):
            torch.stack([transform(image) for image in images[start : start + BATCH]])

    return epoch


def microseconds(operation, magnitude):
    def all_images():
        for image in images:
            _apply_op(image, operation, magnitude, T.InterpolationMode.NEAREST, None)

    return 1e6 * best(all_images) / IMAGES


crop_flip = [T.RandomCrop(32, padding=4, padding_mode="reflect"), T.RandomHorizontalFlip()]
normalise = [T.ToTensor(), T.Normalize(MEAN, STD)]
policy = T.AutoAugment(T.AutoAugmentPolicy.CIFAR10)
PIPELINES = {
    "full": crop_flip + [policy] + normalise + [Cutout()],
    "randaugment": crop_flip + [T.RandAugment()] + normalise,
    "basic": crop_flip + normalise,
}
if EVERYTHING:
    speeds = {name: IMAGES / best(all_images_by(transforms)) for name, transforms in PIPELINES.items()}
    times = {operation: microseconds(operation, value) for operation, value in MAGNITUDES.items()}
    print(json.dumps({"imagesPerSecond": speeds, "microseconds": times}))
else:
    take_turns(all_images_by(PIPELINES[spec["pipeline"]]), spec)
