"""Where a run begins: the first model, and the card that its result will have."""

import dataclasses
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from monostep.checkpoints import embedded, folder, opening
from monostep.checkpoints.card import Card
from monostep.checkpoints.opening import Checkpoint
from monostep.diffusion.latent_diffusion import Autoencoder, LatentDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.errors import CheckpointError, MonostepWarning, SettingError
from monostep.files.atomic import read_json
from monostep.geometry.quantity import INVERSE
from monostep.network import sizes
from monostep.network.unet import UNet, UNetConfig
from monostep.training import state
from monostep.training.diffusion_config import LatentConfig
from monostep.training.image_config import ImageConfig
from monostep.training.keeping import RESULT
from monostep.training.one_step import check_inputs, trained_part
from monostep.training.step import NORMALS_FRAME
from monostep.training.truth_config import TruthConfig

CONFIG = "config.json"  # in a run's folder
AUTOENCODER = "nano-depth"  # of a model that starts from random weights
FROM_TRUTH = (
    "depth",
    "normals",
    "geometry",
)  # tasks of runs whose state is of the same part of a model


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """A model that will learn, and what the result's card says but for its scores."""

    model: LatentDiffusion
    card: Card


def begin(config: TruthConfig) -> Beginning:
    """The model of the config's start, its inputs and autoencoder as the run wants them.

    Of depth or normals; `joint_beginning` has that of both.

    Random weights, and nothing else, come from torch's global generator.

    Raises:
        CheckpointError: a start or autoencoder that is not there or broken.
        SettingError: settings that contradict the start.
        MissingExtraError: the prompt must be computed, and transformers is not installed.
    """
    model, card = _random(config) if config.start is None else _opened(config.start, config)
    if config.noise != "none" and not model.sees_noise:
        double_inputs(model.unet, halve_bias=config.halve_bias)
    elif config.halve_bias:
        raise SettingError(
            f"halve_bias true, but a UNet of {model.unet.config.in_channels} input channels stays "
            f"as it is with noise {config.noise}; add --set halve_bias=false"
        )
    check_inputs(model, config.noise)
    check_near_end(config, card)
    return Beginning(model=model.train(), card=new_card(config, card, **_predicts(config, card)))


def double_inputs(unet: UNet, *, halve_bias: bool) -> None:
    """Give a UNet of z_x inputs for z_t: conv_in's weights twice, each halved.

    Where both latents are alike the features are as before, if the bias is kept as in Marigold;
    E2E-FT halves it, too.
    """
    old = unet.conv_in
    bare = nn.Conv2d(2 * old.in_channels, old.out_channels, 3, padding=1, device="meta")
    new = bare.to_empty(device=old.weight.device)  # without drawing weights that nobody wants
    with torch.no_grad():
        new.weight.copy_(torch.cat([old.weight, old.weight], dim=1) / 2)
        if old.bias is not None and new.bias is not None:
            new.bias.copy_(old.bias / 2 if halve_bias else old.bias)
    unet.conv_in = new
    unet.config = dataclasses.replace(unet.config, in_channels=new.in_channels)


def _random(config: TruthConfig) -> tuple[LatentDiffusion, None]:
    dimensions = sizes.NETWORKS[config.size].unet
    if config.noise == "none":
        dimensions = dataclasses.replace(dimensions, in_channels=dimensions.out_channels)
    return random_model(config, dimensions), None


def random_model(config: TruthConfig | ImageConfig, dimensions: UNetConfig) -> LatentDiffusion:
    """A model of random weights around an autoencoder; they come from torch's generator."""
    return LatentDiffusion(
        unet=UNet(dimensions),
        prompt=torch.randn(config.prompt_tokens, dimensions.context),
        autoencoder=open_autoencoder(config.autoencoder or AUTOENCODER, dimensions.out_channels),
        schedule=Schedule(alpha_bar=scaled_linear(), target="velocity"),
    )


def begin_image(config: ImageConfig) -> LatentDiffusion:
    """The base model that an image run begins with: a UNet that sees the noisy latent alone.

    Raises:
        CheckpointError: an autoencoder that is not there or broken.
        SettingError: one that does not fit.
    """
    dimensions = sizes.NETWORKS[config.size].unet
    bare = dataclasses.replace(dimensions, in_channels=dimensions.out_channels)
    return random_model(config, bare).train()


def open_autoencoder(name: str, channels: int) -> Autoencoder:
    """The autoencoder of a model; SettingError unless its latents have so many channels."""
    autoencoder = folder.load_autoencoder(embedded.locate(name))
    if autoencoder.config.latent_channels != channels:
        raise SettingError(
            f"autoencoder {name}: {autoencoder.config.latent_channels} latent channels, the UNet "
            f"expects {channels}"
        )
    return autoencoder


def _opened(start: str, config: TruthConfig) -> tuple[LatentDiffusion, Card]:
    found = _found(result_of(start), config)
    if found.card.task == "geometry":
        raise SettingError(
            f"start {start}: predicts depth and normals together, {config.recipe} learns "
            f"{config.task} alone; choose another start, or a recipe for both such as "
            "finetune-geometry"
        )
    model = load_start(found, Path(start))
    if config.autoencoder is not None:
        model.vae = open_autoencoder(config.autoencoder, model.unet.config.out_channels)
    return model, found.card


def result_of(start: str) -> str:
    """The model of a run; what is no run's folder is a model itself."""
    result = Path(start) / RESULT
    return str(result) if result.is_dir() else start


def load_start(found: Checkpoint, run: Path) -> LatentDiffusion:
    """The model that was found; with its last weights, if it is a run's result."""
    model = opening.load(found)
    if state.exists(run):
        _load_last(run, model)
    # One step needs no boundary condition: a consistency model's network is a network like others.
    model.schedule = dataclasses.replace(model.schedule, sampler="ddim")
    return model


def _load_last(run: Path, model: LatentDiffusion) -> None:
    """Give a run's model its last weights, unless what learned is not what the result is."""
    ran = read_json(run / CONFIG)
    if ran.get("task") in ("image", *FROM_TRUTH) and not ran.get("rank") and not ran.get("average"):
        names = ("encoder", "decoder", "image_encoder")
        part = trained_part(model, **{name: ran.get(f"train_{name}", False) for name in names})
        state.load_weights(run, part)


def _found(source: str, config: TruthConfig) -> Checkpoint:
    """The checkpoint; what it cannot say itself, such as Stable Diffusion its task, we say."""
    asked: dict[str, Any] = {"task": config.task}
    if config.task == "normals":
        asked["frame"] = NORMALS_FRAME if config.frame == "start" else config.frame
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MonostepWarning)  # that it only is where training starts
        try:
            found = opening.find(source)
        except CheckpointError:
            found = opening.find(source, **asked)
    return dataclasses.replace(found, prompt_tokens=config.prompt_tokens)


def check_near_end(config: TruthConfig, start: Card | None) -> None:
    """Refuse to call a map disparity that would stay depth: the aligned loss takes either sign.

    Raises:
        SettingError: the quantity's near end is not where the start's is.
    """
    aligned = config.task in ("depth", "geometry") and not isinstance(config, LatentConfig)
    if not aligned or config.align_from > 0:
        return  # losses on latents, and the one before `align_from`, know which end is near
    before = start.quantity if start is not None else None
    if (config.quantity in INVERSE) != (before in INVERSE):
        raise SettingError(
            f"quantity {config.quantity}, started from {before or 'no depth'}, with align_from 0: "
            "a loss after alignment cannot tell near from far; set align_from, such as 0.05"
        )


def _predicts(config: TruthConfig, start: Card | None) -> dict[str, str]:
    if config.task == "depth":
        return {"quantity": config.quantity, "invariance": "affine"}
    own = (start and start.frame) or NORMALS_FRAME
    return {"frame": own if config.frame == "start" else config.frame}


def new_card(config: TruthConfig, start: Card | None, **predicts: str) -> Card:
    """The card of the result of a run, which predicts what is said, from a start."""
    _, height, width, _ = config.phases[-1]
    source = {}
    if start is not None:
        source = {
            "start": start.name,
            "start_hash": start.tensor_hash,
            "start_source": dict(start.source),
        }
    assert config.task in FROM_TRUTH
    return Card(
        name=config.recipe,
        task=config.task,
        **predicts,
        resolution=max(height, width),
        **config.how,
        source=source,
        recipe=config.as_dict(),
    )
