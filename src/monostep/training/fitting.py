"""A model made fit for a run: adapters, memory, precision, cached latents, compilation."""

from collections.abc import Iterable

from torch import nn

from monostep.device import DTYPES
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.errors import SettingError
from monostep.training import low_rank, precision
from monostep.training.config import TrainConfig
from monostep.training.latents import LatentCache, fingerprint
from monostep.training.recompute import recompute
from monostep.training.task import Task


def fit(task: Task, model: LatentDiffusion, config: TrainConfig) -> precision.Frozen | None:
    """Change the task's model as the config wants it; its frozen parts, if they were cast.

    Raises:
        SettingError: a setting for what is frozen, of a part that learns.
    """
    learning = {id(parameter) for parameter in task.trained.parameters()}
    if config.rank:
        low_rank.adapt(task.trained, config.rank)
    if config.recompute != "none":
        recompute(model.unet)
    if config.recompute == "all":
        recompute(model.vae.decoder)
        if any(id(parameter) in learning for parameter in model.vae.encoder.parameters()):
            recompute(model.vae.encoder)
    frozen = _frozen(model, config, learning)
    if config.latents is not None:
        _keep_latents(model, config, config.latents, learning)
    if config.compile:
        for part in parts(task.trained):
            part.compile()
    return frozen


def parts(trained: nn.Module) -> Iterable[nn.Module]:
    """The networks that learn: a container is not called itself, what it holds is."""
    return trained.children() if isinstance(trained, nn.ModuleDict) else [trained]


def _frozen(
    model: LatentDiffusion, config: TrainConfig, learning: set[int]
) -> precision.Frozen | None:
    if config.frozen_precision == "fp32":
        return None
    encoder = model.image_encoder if isinstance(model, JointDiffusion) else None
    if any(id(parameter) in learning for parameter in model.vae.parameters()):
        raise SettingError(
            f"frozen_precision {config.frozen_precision}: the autoencoder learns in this run; "
            "leave it at fp32"
        )
    frozen: list[nn.Module] = [model.vae]
    if encoder is not None and id(encoder.visual_projection.weight) not in learning:
        frozen.append(encoder)
    return precision.Frozen(DTYPES[config.frozen_precision], *frozen)


def _keep_latents(
    model: LatentDiffusion, config: TrainConfig, folder: str, learning: set[int]
) -> None:
    if any(id(parameter) in learning for parameter in model.vae.encoder.parameters()):
        raise SettingError("latents: the encoder learns in this run, so none can be kept")
    facts = (config.precision, config.frozen_precision, next(model.parameters()).device.type)
    key = fingerprint(model.vae, *facts, repr(model.vae.config.scale))
    model.encode = LatentCache(folder, model.encode, key)
