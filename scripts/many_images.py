"""The runner's memory over many images: flat, however many there are.

python scripts/many_images.py [--images 10000]

Makes tiny images in a temporary folder, predicts them all with the embedded depth model, and
prints the resident memory and the speed on the way.
"""

# ruff: noqa: T201

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

import monostep
from monostep.runner import inputs, run
from monostep.runner.ledger import Outcome
from monostep.runner.settings import Settings

SIZES = [(16 + n, 12 + n % 7) for n in range(20)]
IN_A_FOLDER = 1000


def main() -> None:
    """Make, predict, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--resolution", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=8)
    asked = parser.parse_args()
    predictors = {"depth": monostep.load("nano-depth")}
    with tempfile.TemporaryDirectory() as work:
        make(Path(work, "in"), asked.images)
        settings = Settings(
            output=Path(work, "out"),
            formats=("npy",),
            asked={"resolution": asked.resolution},
            batch_size=asked.batch_size,
        )
        found = inputs.find([str(Path(work, "in"))], output=settings.output)
        print(f"{len(found.jobs)} images of {len(SIZES)} sizes; resident {resident():.0f} MB")
        print("images   seconds  resident MB", flush=True)
        count, start = 0, time.perf_counter()

        def told(_: Outcome) -> None:
            nonlocal count
            count += 1
            if count in (100, 500) or count % 1000 == 0:
                passed = time.perf_counter() - start
                print(f"{count:6}  {passed:8.1f}  {resident():11.1f}", flush=True)

        print(run.run(found.jobs, predictors, settings, told))


def make(folder: Path, count: int) -> None:
    """Noise in small JPEGs, a thousand in a folder."""
    random = np.random.default_rng(0)
    for index in range(count):
        width, height = SIZES[index % len(SIZES)]
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        path = folder / f"{index // IN_A_FOLDER:03}" / f"{index:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)


def resident() -> float:
    """The process's resident memory in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


if __name__ == "__main__":
    main()
