"""What every peer measures: the same images, the same step, and times as bench/harness/timing.mjs takes them."""
import json
import re
import statistics
import time

import numpy as np

MEAN, STD = 0.5, 0.25
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY, CLIP_NORM = 0.1, 0.9, 1e-4, 1.0


def pixels(batch, side):
    """Bytes [N,H,W,3], the same as those of bench/harness/network.mjs."""
    index = np.arange(batch * side * side * 3, dtype=np.uint64)
    hashed = (index * np.uint64(2654435761)) & np.uint64(0xFFFFFFFF)
    return (hashed >> np.uint64(24)).astype(np.uint8).reshape(batch, side, side, 3)


def labels(batch):
    return np.arange(batch) % 10


def peak_mib():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) / 1024


def measure(step, spec, parameters):
    """Times steps and prints a line of JSON."""
    start = time.perf_counter()
    step()
    first = time.perf_counter() - start
    for _ in range(spec["warmup"]):
        step()
    times, start = [], time.perf_counter()
    while len(times) < spec["steps"] or time.perf_counter() - start < spec["seconds"]:
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    print(
        json.dumps(
            {
                "imagesPerSecond": spec["batch"] / statistics.median(times),
                "steps": len(times),
                "peakMiB": peak_mib(),
                "parameters": parameters,
                "firstStepSeconds": first,
            }
        )
    )
