"""How much of the bare network's throughput is left when the runner reads and writes files.

python scripts/runner_speed.py [FOLDER] [--images 300] [--resolution 768] [--batch-size 1]

Chunks of 20 images go in turns through the runner (files in, files out) and through the bare
network (fitted tensors in, decoded maps out, the same batches), so that whatever else the machine
does slows both. Without a folder, photograph-like JPEGs of 20 sizes are made. At its own resolution
of 128 pixels the embedded model is faster than any PNG encoder; at 768, that of the published
models, its network dominates as theirs do. Prints the ratio, what reading and writing cost alone,
and the resident memory after every chunk; compares the values of two of each size with the
predictor's.
"""

# ruff: noqa: T201

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import monostep
from monostep.images import fit
from monostep.inference import Inference
from monostep.pictures import as_tensor
from monostep.predictor import AT_ONCE, Predictor
from monostep.results import map_of
from monostep.runner import inputs, outputs, plan, run
from monostep.runner.grouping import Window, grouped
from monostep.runner.inputs import Job
from monostep.runner.outputs import Picture
from monostep.runner.settings import Settings

SIZES = [(560 + 16 * n, 420 + 24 * (n % 5)) for n in range(20)]


def main() -> None:
    """Measure and print; exit 1 if values differ."""
    asked = arguments()
    predictor = monostep.load(asked.model, device=asked.device)
    print(f"{asked.model} at {asked.resolution} on {predictor.device}, ", end="")
    print(f"{torch.get_num_threads()} threads, formats {asked.format}", flush=True)
    with tempfile.TemporaryDirectory() as work:
        folder = asked.folder or make(Path(work, "in"), asked.images)
        settings = Settings(
            output=Path(work, "out"),
            formats=tuple(asked.format.split(",")),
            asked={"resolution": asked.resolution},
            batch_size=asked.batch_size or AT_ONCE.get(predictor.device.type, 1),
        )
        jobs = inputs.find([str(folder)], output=settings.output).jobs[: asked.images]
        measure(jobs, predictor, settings, asked.chunk)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--resolution", type=int, default=768)
    parser.add_argument("--batch-size", type=int, default=0)
    parser.add_argument("--model", default="nano-depth")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--chunk", type=int, default=20)
    parser.add_argument("--format", default="npy,png")
    return parser.parse_args()


def make(folder: Path, count: int) -> Path:
    """JPEGs with structure at all scales, of 20 sizes in turn."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(count):
        size = SIZES[index % len(SIZES)]
        pixels = np.zeros((size[1], size[0], 3))
        for scale in (4, 16, 64, 256):
            coarse = random.integers(0, 256, (max(2, scale * 3 // 4), scale, 3), dtype=np.uint8)
            layer = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
            pixels += np.asarray(layer) / np.sqrt(scale)
        pixels *= 255 / pixels.max()
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{index:05}.jpg", quality=90)
    return folder


def measure(jobs: Sequence[Job], predictor: Predictor, settings: Settings, chunk: int) -> None:
    """Chunks through the runner and through the bare network in turns, and what comes of it."""
    predictors = {"depth": predictor}
    inference = plan.plan(predictors, settings).inferences["depth"]
    warm_up(jobs[:1], predictor, settings, inference)
    rounds = []
    print("images  runner/s  network/s  ratio  of CPU time  resident MB", flush=True)
    for at in range(0, len(jobs), chunk):
        some = jobs[at : at + chunk]
        tensors = fitted(batches(some, predictor, settings), predictor, inference)
        ways = [
            partial(run.run, some, predictors, settings, lambda _: None),
            partial(bare, tensors, predictor),
        ]
        if len(rounds) % 2:
            network, runner = cost(ways[1]), cost(ways[0])
        else:
            runner, network = cost(ways[0]), cost(ways[1])
        rounds.append((runner, network))
        print(
            f"{at + len(some):6}  {len(some) / runner.seconds:8.2f}  "
            f"{len(some) / network.seconds:9.2f}  {network.seconds / runner.seconds:5.3f}  "
            f"{network.cpu_seconds / runner.cpu_seconds:11.3f}  {resident():11.0f}",
            flush=True,
        )
    report(rounds, len(jobs), len({Image.open(job.source).size for job in jobs}))
    compare(jobs[: 2 * len(SIZES)], predictor, settings)


def report(rounds: Sequence[tuple["Cost", "Cost"]], count: int, sizes: int) -> None:
    """Print the whole: the totals, and the median, which a busy machine disturbs less."""
    runner, network = (sum(each[way].seconds for each in rounds) for way in (0, 1))
    print(f"{count} images of {sizes} sizes: throughput of the runner / of the bare network:")
    print(f"    {network / runner:.3f} in all, ", end="")
    middle = statistics.median(bare.seconds / run.seconds for run, bare in rounds)
    print(f"{middle:.3f} median over chunks, ", end="")
    spent = [sum(each[way].cpu_seconds for each in rounds) for way in (0, 1)]
    print(f"{spent[1] / spent[0]:.3f} of CPU time")
    print(f"network alone {network / count * 1000:.1f} ms an image")


def compare(jobs: Sequence[Job], predictor: Predictor, settings: Settings) -> None:
    """Time reading and writing alone; exit 1 unless the files are what the predictor says."""
    predictors, furthest, writing = {"depth": predictor}, 0.0, 0.0
    planned = plan.plan(predictors, settings)
    reading = cost(lambda: [outputs.read(job) for job in jobs]).seconds
    run.run(jobs, predictors, replace(settings, overwrite=True), lambda _: None)
    for group in batches(jobs, predictor, settings):
        images = [as_tensor(picture.photo.pixels) for picture in group]
        results = predictor.predict(
            images, planned.inferences["depth"], at_once=settings.batch_size
        )
        for picture, result in zip(group, results, strict=True):
            written = np.load(settings.output / f"{picture.job.stem}.depth.npy")
            depth = map_of(result, "depth")
            furthest = max(furthest, float(np.abs(written - depth.values).max()))
            work = partial(outputs.write, picture.job, picture.input, {"depth": depth}, planned)
            writing += cost(work).seconds
    print(f"reading alone {reading / len(jobs) * 1000:.1f} ms, ", end="")
    print(f"writing alone {writing / len(jobs) * 1000:.1f} ms an image")
    print(f"largest difference from the predictor: {furthest:.1e}")
    if furthest > 0:
        sys.exit(1)


def warm_up(
    jobs: Sequence[Job], predictor: Predictor, settings: Settings, inference: Inference
) -> None:
    """First passes choose their algorithms and fill their caches; nobody measures that."""
    aside = Settings(output=settings.output / "warm", formats=settings.formats)
    run.run(jobs, {"depth": predictor}, aside, lambda _: None)
    image = as_tensor(jobs[0].source)
    predictor.predict([image], inference)


def batches(jobs: Sequence[Job], predictor: Predictor, settings: Settings) -> list[list[Picture]]:
    """The batches that the runner makes of these images."""
    inference = predictor.inference(**settings.asked)
    return list(
        grouped(
            (outputs.read(job) for job in jobs),
            key=lambda one: predictor.padded((one.input.height, one.input.width), inference),
            most=lambda: settings.batch_size,
            window=Window(arrivals=16 * settings.batch_size),
        )
    )


def fitted(
    groups: list[list[Picture]], predictor: Predictor, inference: Inference
) -> list[torch.Tensor]:
    """What the network sees of them, on its device."""
    stacks = [
        torch.stack([fit_one(picture, predictor, inference) for picture in group])
        for group in groups
    ]
    return [each.to(predictor.device) for each in stacks]


@torch.inference_mode()
def bare(tensors: list[torch.Tensor], predictor: Predictor) -> None:
    """The network alone."""
    for images in tensors:
        predictor.network(images.contiguous(memory_format=torch.channels_last))
    if predictor.device.type == "cuda":
        torch.cuda.synchronize(predictor.device)


def fit_one(picture: Picture, predictor: Predictor, inference: Inference) -> torch.Tensor:
    """A picture as the network sees it."""
    image = as_tensor(picture.photo.pixels)
    place = fit.place(
        (image.shape[1], image.shape[2]),
        resolution=inference.resolution,
        multiple=predictor.network.multiple,
    )
    return fit.fit(image, place)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What some work took: by the clock, and of all cores together."""

    seconds: float
    cpu_seconds: float


def cost(work: Callable[[], object]) -> Cost:
    """Do the work, and what it took."""
    start, cpu_start = time.perf_counter(), time.process_time()
    work()
    return Cost(seconds=time.perf_counter() - start, cpu_seconds=time.process_time() - cpu_start)


def resident() -> float:
    """The process's resident memory in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


if __name__ == "__main__":
    main()
