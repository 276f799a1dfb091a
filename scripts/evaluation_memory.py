"""Peak memory of evaluating ETH3D-size images: python scripts/evaluation_memory.py [COUNT].

Writes COUNT images of 4032x6048 in ETH3D's layout (two that differ, the others links to them) and a
prediction for each into a temporary folder, evaluates them in a process of its own, and prints the
largest memory of it and its workers together. Linux only.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 4032, 6048
EVERY_S = 0.05


def main(count: int) -> None:
    """Both protocols, without and with workers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, count)
        for protocol in ("marigold-2024", "monostep-1"):
            for workers in (0, 2):
                peak, seconds = measure(folder, protocol, workers)
                print(  # noqa: T201
                    f"{protocol}, {count} images, workers {workers}: "
                    f"{peak / 2**30:.2f} GiB at most, {seconds:.0f} s",
                    flush=True,
                )


def write(folder: Path, count: int) -> None:
    """Images, true depth and predictions; of those beyond the second, links."""
    images = folder / "eth3d/rgb/office/images/dslr_images"
    truths = folder / "eth3d/depth/office_dslr_depth/office/ground_truth_depth/dslr_images"
    predictions = folder / "predictions/rgb/office/images/dslr_images"
    for one in (images, truths, predictions):
        one.mkdir(parents=True)
    random = np.random.default_rng(0)
    for k in range(count):
        name = f"DSC_{k:04d}"
        files = images / f"{name}.JPG", truths / f"{name}.JPG", predictions / f"{name}.npy"
        if k >= 2:
            for file in files:
                file.hardlink_to(file.with_stem(f"DSC_{k % 2:04d}"))
            continue
        Image.new("RGB", (WIDTH, HEIGHT), (90 * k, 80, 70)).save(files[0])
        rows = np.linspace(30, 2 + k, HEIGHT, dtype=np.float32)[:, None]
        depth_m = rows + random.random((HEIGHT, WIDTH), dtype=np.float32)
        np.save(files[2], depth_m + random.standard_normal((HEIGHT, WIDTH), dtype=np.float32) / 9)
        depth_m[random.random((HEIGHT, WIDTH), dtype=np.float32) < 0.3] = np.inf
        depth_m.tofile(files[1])


def measure(folder: Path, protocol: str, workers: int) -> tuple[int, float]:
    """Bytes and seconds of one evaluation."""
    command = [sys.executable, "-m", "monostep", "evaluate", "eth3d", "--data", str(folder)]
    command += ["--predictions", str(folder / "predictions"), "--protocol", protocol]
    command += ["--workers", str(workers), "-o", str(folder / f"{protocol}-{workers}"), "--json"]
    start, peak = time.monotonic(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        peak = max(peak, sum(proportional(pid) for pid in tree(process.pid)))
        time.sleep(EVERY_S)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: ended with {process.returncode}")
    return peak, time.monotonic() - start


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [pid, *(one for child in text.split() for one in tree(int(child)))]


def proportional(pid: int) -> int:
    """Memory of a process in bytes, what it shares divided by those that share it."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("Pss:"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
