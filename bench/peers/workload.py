"""What every peer measures: the same images, the same step, and turns as bench/harness/turns.mjs takes them."""
import json
import re
import statistics
import sys
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


def time_steps(step, steps, seconds):
    """As timeSteps in bench/harness/timing.mjs."""
    times, start = [], time.perf_counter()
    while len(times) < steps or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    return times


def take_turns(step, spec, **facts):
    """Warms up, says so, and answers each line of the standard input, `measure` or `peak`, with a line of JSON."""

    def say(answer):
        print(json.dumps(answer), flush=True)

    first, *warm = time_steps(step, 1 + spec["warmup"], 0)
    steps = spec["steps"] if min(warm) < spec["seconds"] else 1
    say({**facts, "firstStepSeconds": first})
    for question in sys.stdin:
        if question.strip() == "peak":
            say({"peakMiB": peak_mib()})
        else:
            times = time_steps(step, steps, spec["seconds"])
            say({"imagesPerSecond": spec["batch"] / statistics.median(times), "steps": len(times)})
