"""The same checkpoint through diffusers' pipeline and through ours, on the same pictures.

diffusers' Marigold pipelines are the independent reference: they load the files with their own
code, and run their own networks, scheduler, resizing, padding and ensembling. They return the
previous sample of the last step and clip normals, so for this comparison we do likewise.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.checkpoints import opening
from monostep.checkpoints.opening import Checkpoint
from monostep.data.procedural.render import render
from monostep.data.splits import SEEDS
from monostep.errors import SettingError
from monostep.geometry.depth import Depth
from monostep.inference import Inference
from monostep.inspection import diffusers_pipeline, memory
from monostep.predictor import Predictor

SINGLE, MERGED = 1e-4, 1e-3  # largest difference allowed in float32, alone and as an ensemble
SIZES = ((384, 512), (243, 325))  # the second is divisible by nothing
Picture = Float[Tensor, "3 height width"]
Map = Float[Tensor, "height width channel"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A picture's (height, width) in pixels, the settings, and what the network sees of it."""

    size: tuple[int, int]
    how: Inference
    padded: tuple[int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """What one implementation said in one case, and what it cost."""

    values: Map
    seconds: float
    peak_bytes: int | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """Both sides in one case."""

    case: Case
    ours: Side
    theirs: Side

    @property
    def difference(self) -> float:
        """The largest over all pixels and channels."""
        return float((self.ours.values - self.theirs.values).abs().max())

    @property
    def spread(self) -> float:
        """Standard deviation of the reference's values: two constants would agree for nothing."""
        return float(self.theirs.values.std(correction=0))

    @property
    def tolerance(self) -> float:
        """The largest difference that still counts as equal."""
        return SINGLE if self.case.how.ensemble == 1 else MERGED

    @property
    def equal(self) -> bool:
        """Whether the two agree; NaN agrees with nothing, and constants prove nothing."""
        return self.difference <= self.tolerance and self.spread > 10 * self.tolerance


def verify(
    checkpoint: Checkpoint, sizes: Sequence[tuple[int, int]], *, device: torch.device, **asked: Any
) -> list[Outcome]:
    """Both sides on pictures of every size, and on the first of them reduced by the fit.

    One side runs after the other, so that only one set of weights is in memory.

    Raises:
        MissingExtraError: diffusers is not installed.
        SettingError: diffusers has no pipeline for such a model or such settings.
    """
    diffusers_pipeline.check(checkpoint)
    if asked.get("noise") not in (None, "zeros", "gaussian"):
        raise SettingError(f"noise {asked['noise']}: diffusers has zeros and gaussian; choose one")
    family = "diffusion" if checkpoint.card.family == "end-to-end" else checkpoint.card.family
    card = replace(checkpoint.card, family=family, last="previous")
    network = opening.load(checkpoint)
    predictor = Predictor(network, card, device=device, dtype=torch.float32)
    cases = _cases(predictor, sizes, asked)
    ours = [_measure(_ours(predictor), case, device) for case in cases]
    prompt = network.prompt.clone()
    del network, predictor
    pipeline = diffusers_pipeline.load(checkpoint, prompt, device, spacing=cases[0].how.spacing)
    theirs = [_measure(_theirs(pipeline, device), case, device) for case in cases]
    return [Outcome(case=c, ours=o, theirs=t) for c, o, t in zip(cases, ours, theirs, strict=True)]


def _cases(
    predictor: Predictor, sizes: Sequence[tuple[int, int]], asked: dict[str, Any]
) -> list[Case]:
    """Reduced, not enlarged: on the way back from more pixels only ours is antialiased."""
    multiple = predictor.network.multiple
    reduced = max(max(sizes[0]) * 3 // 4 // multiple, 1) * multiple
    cases = []
    looks = [(size, 0) for size in sizes]
    if reduced < max(sizes[0]):
        looks.append((sizes[0], reduced))
    for size, resolution in looks:
        how = predictor.inference(resolution=resolution, **asked)
        cases.append(Case(size=size, how=how, padded=predictor.padded(size, how)))
    return cases


def _measure(run: Callable[[Picture, Case], Map], case: Case, device: torch.device) -> Side:
    picture = render(SEEDS["test"], [0], case.size).image[0]
    memory.start(device)
    begin = time.perf_counter()
    values = run(picture, case).float().cpu()
    seconds = time.perf_counter() - begin
    return Side(values=values, seconds=seconds, peak_bytes=memory.peak_bytes(device))


def _ours(predictor: Predictor) -> Callable[[Picture, Case], Map]:
    def run(picture: Picture, case: Case) -> Map:
        (result,) = predictor.predict([picture], case.how)
        if isinstance(result, Depth):
            return result.tensor[..., None]
        return result.to(str(predictor.card.frame)).tensor.permute(1, 2, 0)

    return run


def _theirs(pipeline: Any, device: torch.device) -> Callable[[Picture, Case], Map]:
    def run(picture: Picture, case: Case) -> Map:
        how = case.how
        factor = pipeline.vae_scale_factor
        latent = (how.ensemble, 4, case.padded[0] // factor, case.padded[1] // factor)
        start = (
            {"latents": torch.zeros(latent, device=device)}
            if how.noise == "zeros"
            else {"generator": torch.Generator().manual_seed(how.seed)}
        )
        prediction = pipeline(
            picture[None].to(device),
            num_inference_steps=how.steps,
            ensemble_size=how.ensemble,
            processing_resolution=how.resolution,
            output_type="pt",
            **start,
        ).prediction
        return prediction[0].permute(1, 2, 0)

    return run
