"""Predictions that look at no image: what a model has to beat."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from monostep.data.procedural import render
from monostep.data.samples import Samples
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.rules import Task
from monostep.evaluation.sets.procedural import Procedural
from monostep.files.atomic import replacing
from monostep.geometry import alignment, decode, masked
from monostep.images import fit

AT_ONCE = 50  # small scenes rendered together
FILE = "baselines.npz"


@dataclass(frozen=True, kw_only=True, eq=False)
class Means:
    """What training scenes look like on average, on a small grid."""

    depth: Float[Tensor, "height width"]  # without unit: every scene counts at the same contrast
    normals: Float[Tensor, "3 height width"]  # the mean vector's direction
    direction: Float[Tensor, "3 1 1"]  # of the mean of all normals


@dataclass(frozen=True, kw_only=True, eq=False)
class Baselines:
    """The baselines of one benchmark; `means` only where there is training data of its kind."""

    means: Means | None = None

    def maps(self, task: Task, size: tuple[int, int]) -> dict[str, Tensor]:
        """Their maps at this (height, width), by name."""
        return depth_maps(size, self.means) if task == "depth" else normal_maps(size, self.means)


def of(benchmark: Benchmark, folder: Path) -> Baselines:
    """The baselines of a benchmark; means of training scenes are kept in the folder."""
    if isinstance(benchmark, Procedural):
        return Baselines(means=load_or_compute(benchmark, folder))
    return Baselines()


def depth_maps(size: tuple[int, int], means: Means | None) -> dict[str, Tensor]:
    """Each depth baseline as a map [height, width]; alignment gives all of them their metres.

    constant: a map without variation, which becomes the image's mean depth;
    row: the image row, nearer towards the bottom;
    mean_map: the mean training depth map.
    """
    height, width = size
    row = torch.linspace(1, 0, height)[:, None].expand(height, width)
    maps = {"constant": torch.zeros(height, width), "row": row}
    if means is not None:
        maps["mean_map"] = _enlarge(means.depth[None], size)[0]
    return maps


def normal_maps(size: tuple[int, int], means: Means | None) -> dict[str, Tensor]:
    """Each normals baseline as unit vectors [3, height, width], in the OpenCV frame.

    facing: everything faces the camera, where nothing is known of other scenes; else
    constant: the direction of the mean of all training normals;
    mean_map: the directions of the mean training map.
    """
    height, width = size
    if means is None:
        return {"facing": torch.tensor([0.0, 0.0, -1.0])[:, None, None].expand(3, height, width)}
    return {
        "constant": means.direction.expand(3, height, width),
        "mean_map": decode.unit(_enlarge(means.normals, size)[None])[0],
    }


def load_or_compute(protocol: Procedural, folder: Path) -> Means:
    """The training means, from the folder's file if it holds those of the same scenes."""
    path = folder / FILE
    key = json.dumps(_key(protocol), sort_keys=True)
    stored = _stored(path, key)
    if stored is not None:
        return stored
    means = training_means(protocol)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, key=key, **{name: getattr(means, name).numpy() for name in _names()})
    return means


def _stored(path: Path, key: str) -> Means | None:
    if not path.is_file():
        return None
    try:
        with np.load(path) as file:
            if str(file["key"]) == key:
                return Means(**{name: torch.from_numpy(file[name]) for name in _names()})
    except (OSError, ValueError, KeyError, BadZipFile):
        return None  # damaged or somebody else's: it is only a cache
    return None


def training_means(protocol: Procedural) -> Means:
    """Means over the first training scenes, pixel by pixel, of what is valid there.

    Each scene's depth is first brought to mean 0 and mean absolute deviation 1 over its valid
    pixels, because affine depth knows neither; invalid ones (sky, or beyond `far_m`) do not count,
    as they do not count in the score.
    """
    size = (protocol.baseline_height, protocol.baseline_width)
    depth = _Mean(1, size)
    normals = _Mean(3, size)
    for samples in _training_scenes(protocol, size):
        near = samples.valid & (samples.depth_m <= protocol.far_m)
        depth.add(normalised(samples.depth_m, near.float())[:, None], near)
        normals.add(samples.normals, samples.valid)
    return Means(
        depth=depth.value()[0],
        normals=decode.unit(normals.value()[None])[0],
        direction=decode.unit(normals.total.sum(dim=(1, 2), keepdim=True)[None])[0].float(),
    )


def normalised(
    depth_m: Float[Tensor, "batch height width"], weight: Float[Tensor, "batch height width"]
) -> Float[Tensor, "batch height width"]:
    """Depth with mean 0 and mean absolute deviation 1 over the weighted pixels of each image."""
    spread = alignment.centred(depth_m, weight)
    deviation = masked.mean(spread.abs(), weight)[:, None, None]
    return spread / torch.where(deviation > 0, deviation, torch.ones_like(deviation))


class _Mean:
    """Running mean of maps, pixel by pixel, where they are valid."""

    def __init__(self, channels: int, size: tuple[int, int]) -> None:
        self.total = torch.zeros(channels, *size, dtype=torch.float64)
        self.count = torch.zeros(size, dtype=torch.float64)

    def add(self, values: Tensor, valid: Tensor) -> None:
        self.total += torch.where(valid[:, None], values.double(), 0).sum(dim=0)
        self.count += valid.sum(dim=0)

    def value(self) -> Tensor:
        return (self.total / self.count.clamp_min(1)).float()


def _training_scenes(protocol: Procedural, size: tuple[int, int]) -> Iterator[Samples]:
    for first in range(0, protocol.baseline_scenes, AT_ONCE):
        last = min(first + AT_ONCE, protocol.baseline_scenes)
        yield render(protocol.baseline_seed, range(first, last), size)


def _key(protocol: Procedural) -> Mapping[str, Any]:
    """What the means depend on; a few depths stand for the version of the renderer."""
    size = (protocol.baseline_height, protocol.baseline_width)
    probe = render(protocol.baseline_seed, range(3), size).depth_m.mean(dim=(1, 2))
    return {
        "scenes": protocol.baseline_scenes,
        "size": size,
        "seed": protocol.baseline_seed,
        "far_m": protocol.far_m,
        "probe_m": [round(value, 3) for value in probe.tolist()],
    }


def _names() -> tuple[str, ...]:
    return tuple(Means.__dataclass_fields__)


def _enlarge(
    values: Float[Tensor, "channel height width"], size: tuple[int, int]
) -> Float[Tensor, "channel new_height new_width"]:
    small = (values.shape[1], values.shape[2])
    return fit.restore(values, fit.Placement(original=size, resized=small, padded=small))
