"""Images a second of the procedural renderer, with one process for each core.

python scripts/render_speed.py
"""

import os
import time
from concurrent.futures import ProcessPoolExecutor

import torch

from monostep.data.procedural import render

IMAGES = 48


def work(first: int, size: tuple[int, int]) -> None:
    """Render some scenes on one thread, which is what keeps an image in its core's cache."""
    torch.set_num_threads(1)
    render(1, range(first, first + IMAGES), size)


if __name__ == "__main__":
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(work, range(cores), [(8, 8)] * cores))  # imports are not rendering
        for size in ((96, 128), (192, 256)):
            start = time.perf_counter()
            list(pool.map(work, [n * IMAGES for n in range(cores)], [size] * cores))
            speed = cores * IMAGES / (time.perf_counter() - start)
            print(f"{size[0]}x{size[1]}: {speed:.1f} images/s, {cores} processes")  # noqa: T201
