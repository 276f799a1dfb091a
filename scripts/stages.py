"""Time and peak memory of each stage of one prediction.

python scripts/stages.py MODEL HEIGHT WIDTH [STEPS]
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

import monostep
from monostep.inspection import memory

source, height, width, *rest = sys.argv[1:]
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def stage(name: str, work: Callable[[], Any]) -> Any:
    """Do the work and print what it took."""
    memory.start(device)
    begin = time.perf_counter()
    done = work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    seconds, peak = time.perf_counter() - begin, memory.peak_bytes(device)
    print(f"{name:8} {seconds:8.2f} s  {0 if peak is None else peak / 2**30:6.2f} GiB")  # noqa: T201
    return done


predictor = stage("load", lambda: monostep.load(source, device=str(device)))
network = predictor.network
how = predictor.inference(resolution=0, steps=int(rest[0]) if rest else None)
picture = torch.rand(1, 3, int(height), int(width), device=device) * 2 - 1
picture = picture.contiguous(memory_format=torch.channels_last)
with torch.inference_mode():
    latent = stage("encode", lambda: network.encode(picture))
    noise = torch.randn(predictor.sampler(how).draws, *latent.shape, device=device)
    output = partial(network.output, latent)
    clean = stage("UNet", lambda: predictor.sampler(how).end(output, noise))
    stage("decode", lambda: network.decode(clean))
