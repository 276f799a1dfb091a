"""diffusers' Marigold pipeline with the same weights, precision, memory format and settings."""

from importlib import import_module
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.benchmark.cases import Case
from monostep.benchmark.program import Map, Pictures, Program, Weights, settings, values
from monostep.benchmark.stopwatch import Part
from monostep.checkpoints.card import Card
from monostep.device import DTYPES
from monostep.diffusion.latent_diffusion import channels_last
from monostep.errors import SettingError
from monostep.inference import Inference
from monostep.inspection import diffusers_pipeline

NOISES = ("zeros", "gaussian")


def check(card: Card) -> None:
    """Raise SettingError for a model or a start that diffusers does not have."""
    if card.task == "geometry":
        raise SettingError(f"{card.name}: diffusers has no pipeline for depth and normals together")
    if card.noise not in NOISES:
        raise SettingError(f"noise {card.noise}: diffusers has {' and '.join(NOISES)}")


def libraries() -> None:
    """Import what loading needs: diffusers imports its pipelines when they are first named."""
    diffusers: Any = import_module("diffusers")
    _ = diffusers.MarigoldDepthPipeline, diffusers.MarigoldNormalsPipeline


def load(weights: Weights, dtype: str, device: torch.device) -> Program:
    """The pipeline of the checkpoint's task."""
    checkpoint = weights.find()
    how = settings(checkpoint.card, Case(size=(8, 8)))
    pipeline = diffusers_pipeline.load(
        checkpoint,
        torch.from_numpy(weights.prompt),
        device,
        spacing=how.spacing,
        dtype=DTYPES[dtype],
    )
    for network in (pipeline.unet, pipeline.vae):
        channels_last(network)  # the faster way, which its users are told to go
    return program(pipeline, checkpoint.card, dtype)


def program(pipeline: Any, card: Card, dtype: str) -> Program:
    """A pipeline with its stages."""

    def predict(pictures: Pictures, case: Case) -> Any:
        return _predict(pipeline, pictures, settings(card, case))

    def compare(pictures: Pictures, case: Case) -> Map:
        return values(_predict(pipeline, pictures[:1], settings(card, case))[0])

    unet = Part(stage="unet", owner=pipeline.unet, method="forward")
    return Program(
        dtype=dtype,
        predict=predict,
        compare=compare,
        timed=[
            Part(stage="encode", owner=pipeline.vae, method="encode"),
            unet,
            Part(stage="decode", owner=pipeline.vae, method="decode"),
        ],
        compilable=[
            Part(stage="encode", owner=pipeline.vae.encoder, method="forward"),
            unet,
            Part(stage="decode", owner=pipeline.vae.decoder, method="forward"),
        ],
        patch=pipeline.vae_scale_factor,
    )


def _predict(
    pipeline: Any, pictures: Pictures, how: Inference
) -> Float[Tensor, "batch channel height width"]:
    return pipeline(
        pictures.to(pipeline.device, memory_format=torch.channels_last),
        num_inference_steps=how.steps,
        ensemble_size=how.ensemble,
        processing_resolution=0,
        batch_size=len(pictures) if how.ensemble == 1 else 1,
        output_type="pt",
        **_start(pipeline, pictures, how),
    ).prediction


def _start(pipeline: Any, pictures: Pictures, how: Inference) -> dict[str, Any]:
    """The first latent: drawn in float32 whatever the precision, the same for every picture.

    A consistency model draws again at every step, and gets the generator instead.
    """
    generator = torch.Generator().manual_seed(how.seed)
    if how.spacing == "lcm":
        return {"generator": generator}
    factor = pipeline.vae_scale_factor
    height, width = (side // factor for side in pictures.shape[-2:])
    size = (how.ensemble, 4, height, width)
    first = torch.zeros(size) if how.noise == "zeros" else torch.randn(size, generator=generator)
    latents = first.repeat(len(pictures), 1, 1, 1)
    return {"latents": latents.to(pipeline.device, pipeline.dtype)}
