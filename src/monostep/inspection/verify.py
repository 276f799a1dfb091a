"""The same checkpoint through diffusers and through ours, on the same pictures.

diffusers' Marigold pipelines are the independent reference: they load the files with their own
code, and run their own networks, scheduler, resizing, padding and ensembling. They return the
previous sample of the last step and clip normals, so for this comparison we do likewise. For joint
models there is `monostep.inspection.geowizard_program`, with the fit of the published program.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.checkpoints import opening
from monostep.checkpoints.card import Card
from monostep.checkpoints.opening import Checkpoint
from monostep.data.procedural.render import render
from monostep.data.splits import SEEDS
from monostep.errors import SettingError
from monostep.geometry.depth import Depth
from monostep.inference import Inference
from monostep.inspection import diffusers_pipeline, geowizard_program, memory
from monostep.predictor import Predictor
from monostep.results import map_of

SINGLE, MERGED = 1e-4, 1e-3  # largest difference allowed in float32, alone and as an ensemble
SIZES = ((384, 512), (243, 325))  # the second is divisible by nothing
Picture = Float[Tensor, "3 height width"]
Map = Float[Tensor, "height width channel"]
Maps = Mapping[str, Map]  # by kind: depth, normals or both


@dataclass(frozen=True, kw_only=True)
class Case:
    """A picture's (height, width) in pixels, the settings, and what the network sees of it."""

    size: tuple[int, int]
    how: Inference
    padded: tuple[int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """What one implementation said in one case, and what it cost with all other maps of it."""

    values: Map
    seconds: float
    peak_bytes: int | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """Both sides in one case: one kind of map."""

    case: Case
    kind: str
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
        SettingError: there is no reference for such a model or such settings.
    """
    diffusers_pipeline.check(checkpoint)
    if asked.get("noise") not in (None, "zeros", "gaussian"):
        raise SettingError(f"noise {asked['noise']}: diffusers has zeros and gaussian; choose one")
    card, asked = checkpoint.card, _as_published(checkpoint.card, asked)
    if card.task != "geometry":
        family = "diffusion" if card.family == "end-to-end" else card.family
        card = replace(card, family=family, last="previous")
    network = opening.load(checkpoint)
    predictor = Predictor(network, card, device=device, dtype=torch.float32)
    cases = _cases(predictor, sizes, asked)
    ours = [_measure(_ours(predictor), case, device) for case in cases]
    prompt = network.prompt.clone()
    del network, predictor
    run = _theirs(checkpoint, prompt, device, spacing=cases[0].how.spacing)
    theirs = [_measure(run, case, device) for case in cases]
    return [
        Outcome(case=case, kind=kind, ours=one[kind], theirs=other[kind])
        for case, one, other in zip(cases, ours, theirs, strict=True)
        for kind in card.maps
    ]


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


def _as_published(card: Card, asked: dict[str, Any]) -> dict[str, Any]:
    """The settings of the reference, which for joint models has the published program's fit."""
    if card.task != "geometry":
        return asked
    if (asked.get("ensemble") or 1) > 1:
        raise SettingError(
            f"ensemble {asked['ensemble']}: merging amplifies the last bit, in which maps decoded "
            "together differ from maps decoded alone; compare single predictions of joint models"
        )
    return asked | {"ensemble": 1, "fit": "reference"}


def _measure(
    run: Callable[[Picture, Case], Maps], case: Case, device: torch.device
) -> Mapping[str, Side]:
    picture = render(SEEDS["test"], [0], case.size).image[0]
    memory.start(device)
    begin = time.perf_counter()
    maps = {kind: values.float().cpu() for kind, values in run(picture, case).items()}
    seconds = time.perf_counter() - begin
    peak = memory.peak_bytes(device)
    return {
        kind: Side(values=values, seconds=seconds, peak_bytes=peak) for kind, values in maps.items()
    }


def _ours(predictor: Predictor) -> Callable[[Picture, Case], Maps]:
    def run(picture: Picture, case: Case) -> Maps:
        (result,) = predictor.predict([picture], case.how)
        found = {}
        for kind in predictor.card.maps:
            one = map_of(result, kind)
            if isinstance(one, Depth):
                found[kind] = one.tensor[..., None]
            else:
                found[kind] = one.to(str(predictor.card.frame)).tensor.permute(1, 2, 0)
        return found

    return run


def _theirs(
    checkpoint: Checkpoint, prompt: Tensor, device: torch.device, *, spacing: str
) -> Callable[[Picture, Case], Maps]:
    """The reference, loaded; `prompt` is what our model reads, nothing if it looks."""
    if checkpoint.card.task == "geometry":
        prompts = prompt if len(prompt) else None
        program = geowizard_program.load(checkpoint, prompts, device, spacing=spacing)
        return lambda picture, case: program(picture, case.how)
    pipeline = diffusers_pipeline.load(checkpoint, prompt, device, spacing=spacing)
    task = checkpoint.card.task
    return lambda picture, case: {task: _marigold(pipeline, picture, case, device)}


def _marigold(pipeline: Any, picture: Picture, case: Case, device: torch.device) -> Map:
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
