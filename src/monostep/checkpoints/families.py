"""What a published checkpoint is and how to run it: the card of a folder that has none.

    family        pipeline's class              start     steps                 last step gives
    end-to-end    StableDiffusionPipeline       zeros     1                     the clean estimate
    diffusion     Marigold...Pipeline           gaussian  the index's, or 1     the previous latent
    consistency   any, with LCMScheduler        gaussian  the index's, or 1     the clean estimate

GeoWizard's class, DepthNormalEstimationPipeline, is a diffusion model, or one trained end to end if
the registry says so or its index names E2E-FT's own UNet class (geowizard.models...).
The family decides, not the scheduler file: that often says "leading", with which a single step
tells the network that pure noise is almost clean (E2E-FT, section 3).
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from monostep.checkpoints import asking, layout
from monostep.checkpoints.card import FORMAT, MAPS, Card, Family, Task
from monostep.checkpoints.registry import GEOWIZARDS_FRAME, OF_GEOWIZARD, Published
from monostep.checkpoints.scheduler import LCM
from monostep.errors import CheckpointError, MonostepWarning, SettingError
from monostep.geometry import frames
from monostep.network.autoencoder_kl import AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTinyConfig
from monostep.network.unet import UNetConfig

RESOLUTION = 768
HOW: dict[Family, dict[str, Any]] = {
    "end-to-end": {"noise": "zeros", "spacing": "trailing", "last": "clean"},
    "diffusion": {"noise": "gaussian", "spacing": "trailing", "last": "previous"},
    "consistency": {"noise": "gaussian", "spacing": "lcm", "last": "clean"},
}
OLD_MARIGOLD, PLAIN = "MarigoldPipeline", "StableDiffusionPipeline"
GEOWIZARD = "DepthNormalEstimationPipeline"
TASKS: dict[str, Task] = {
    "MarigoldDepthPipeline": "depth",
    "MarigoldNormalsPipeline": "normals",
    GEOWIZARD: "geometry",
}
NOT_YET = {"MarigoldIntrinsicsPipeline": "Marigold's intrinsic decomposition"}
# What an index may say of GeoWizard's maps, which are always the same.
GEOWIZARDS_INDEX = {
    "prediction_type": "depth",
    "scale_invariant": True,
    "shift_invariant": True,
    "use_full_z_range": True,
}
WHICH_FRAME = "dsine for E2E-FT checkpoints, opengl for Marigold's"


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a checkpoint says of itself, before anything large is read."""

    name: str
    index: Mapping[str, Any]  # model_index.json
    scheduler: Mapping[str, Any]  # scheduler_config.json
    unet: UNetConfig
    autoencoder: AutoencoderKLConfig | AutoencoderTinyConfig
    published: Published | None = None


def card(said: Description, *, task: str | None = None, frame: str | None = None) -> Card:
    """The card of a published checkpoint; `task` and `frame` where it cannot say them itself.

    Raises:
        CheckpointError: a pipeline that is not supported, or one that leaves open what it predicts.
        SettingError: a task or frame other than the checkpoint's own.
    """
    check_pipeline(said.name, said.index)
    _check_channels(said)
    _check_classes(said)
    family = _family(said)
    task = _task(said, task)
    prediction = PREDICTIONS[task](said, frame)
    published = said.published
    if published and published.task is None:
        warnings.warn(
            f"{published.alias} was not trained to predict {task}: it is where fine-tuning starts",
            MonostepWarning,
            stacklevel=2,
        )
    values = {
        "format": FORMAT,
        "name": published.alias if published else said.name,
        "task": task,
        **prediction,
        "family": family,
        "resolution": _given(said, "default_processing_resolution", default=RESOLUTION),
        "steps": 1
        if family == "end-to-end"
        else _given(said, "default_denoising_steps", default=1),
        **HOW[family],
        "grade": "published" if published and published.task else "user",
        "licence": published.licence if published else "unknown",
        "scores": published.scores if published else {},
    }
    if said.unet.in_channels == said.autoencoder.latent_channels:
        # The picture's latent is all it sees: there is no noise to vary or to take away.
        values |= {"noise": "zeros", "steps": 1, "ensemble": 1}
    return Card.from_dict(values)


def check_pipeline(name: str, index: Mapping[str, Any]) -> None:
    """Raise CheckpointError unless model_index.json names a pipeline of the families."""
    pipeline = index.get("_class_name")
    if isinstance(pipeline, str) and pipeline in NOT_YET:
        raise CheckpointError(
            f"{name}: {NOT_YET[pipeline]} ({pipeline}) is not supported yet; use a Marigold or "
            "E2E-FT checkpoint"
        )
    known = (*TASKS, OLD_MARIGOLD, PLAIN)
    if pipeline not in known:
        raise CheckpointError(
            f"{name}: pipeline {pipeline!r} is not supported; expected {' or '.join(known)}"
        )


def _check_channels(said: Description) -> None:
    latent = said.autoencoder.latent_channels
    inputs, outputs = said.unet.in_channels, said.unet.out_channels
    if inputs not in (latent, 2 * latent) or outputs != latent:
        raise CheckpointError(
            f"{said.name}: the UNet takes {inputs} channels and gives {outputs}; with this "
            f"autoencoder it must take {latent} (the picture) or {2 * latent} (and the noise) and "
            f"give {latent}"
        )


def _check_classes(said: Description) -> None:
    joint = said.index["_class_name"] == GEOWIZARD
    if joint and said.unet.classes is None:
        raise CheckpointError(
            f"{said.name}: the UNet has no class embedding, so it cannot tell depth from normals; "
            "use the config.json that came with GeoWizard's weights"
        )
    if said.unet.classes is not None and not joint:
        raise CheckpointError(
            f"{said.name}: the UNet has a class embedding, as in Lotus, which is not supported; "
            "use a Marigold, GeoWizard or E2E-FT checkpoint"
        )


def _family(said: Description) -> Family:
    if said.published:
        return said.published.family
    if said.scheduler.get("_class_name") == LCM:
        return "consistency"
    fine_tuned = said.index["_class_name"] == PLAIN or _library(said).startswith("geowizard.")
    return "end-to-end" if fine_tuned else "diffusion"


def _library(said: Description) -> str:
    """Where the index says that the UNet's class comes from; empty where it does not."""
    match said.index.get("unet"):
        case [str(library), *_]:
            return library
    return ""


def _task(said: Description, asked: str | None) -> Task:
    own = said.published.task if said.published else None
    own = own or _own_task(said.index)
    if own == "geometry":
        if asked not in (None, own, *MAPS[own]):
            raise asking.other_task(asked, said.name, own)
        return own
    if asked not in (None, "depth", "normals", own):
        raise SettingError(f"task {asked!r}: choose depth or normals")
    if own and asked and asked != own:
        raise asking.other_task(asked, said.name, own)
    if own or asked:
        return own or asked  # pyright: ignore[reportReturnType]
    if said.index["_class_name"] == OLD_MARIGOLD:  # the first version says nothing, and is depth
        return "depth"
    raise CheckpointError(
        f"{said.name}: a {PLAIN} does not say what it predicts; give task depth (--task depth), "
        f"or task normals (--task normals) and the network's frame (--network-frame: {WHICH_FRAME})"
    )


def _own_task(index: Mapping[str, Any]) -> Task | None:
    if index["_class_name"] in TASKS:
        return TASKS[index["_class_name"]]
    if index.get("prediction_type") == "normals" or "use_full_z_range" in index:
        return "normals"
    says_depth = index.get("prediction_type") in ("depth", "disparity")
    return "depth" if says_depth or "scale_invariant" in index else None


def _normals(said: Description, asked: str | None) -> dict[str, Any]:
    if said.index.get("use_full_z_range") is False:
        raise CheckpointError(
            f"{said.name}: use_full_z_range is false, so z is stored as half its range; this is "
            "not supported"
        )
    own = said.published.frame if said.published else None
    if own is None and said.index["_class_name"] != PLAIN:
        own = "opengl"
    asked = asked and frames.check(asked)
    if own and asked and own != asked:
        raise asking.other_frame(asked, said.name, own)
    if not (own or asked):
        raise CheckpointError(
            f"{said.name}: does not say the frame of its normals; give it "
            f"(--network-frame: {WHICH_FRAME})"
        )
    return {"frame": own or asked}


def _depth(said: Description, asked_frame: str | None) -> dict[str, Any]:
    if asked_frame is not None:
        raise SettingError(f"frame {asked_frame!r}: {said.name} predicts depth; leave frame out")
    scale, shift = (_given(said, f"{name}_invariant", default=True) for name in ("scale", "shift"))
    if not scale:
        raise CheckpointError(
            f"{said.name}: scale_invariant is {scale}, shift_invariant is {shift}; only depth up "
            "to scale and shift, or up to scale, is supported"
        )
    disparity = said.index.get("prediction_type") == "disparity"
    return {
        "quantity": "disparity" if disparity else "depth",
        "invariance": "affine" if shift else "scale",
    }


def _geometry(said: Description, asked_frame: str | None) -> dict[str, Any]:
    if asked_frame is not None and frames.check(asked_frame) != GEOWIZARDS_FRAME:
        raise asking.other_frame(asked_frame, said.name, GEOWIZARDS_FRAME)
    for name, own in GEOWIZARDS_INDEX.items():
        if said.index.get(name) not in (None, own):
            raise CheckpointError(
                f"{said.name}: {layout.INDEX} says {name} {said.index[name]!r}, and GeoWizard's "
                f"models have {own!r}; use the file that came with the weights"
            )
    return {"quantity": "depth", "invariance": "affine", **OF_GEOWIZARD}


PREDICTIONS: Mapping[Task, Callable[[Description, str | None], dict[str, Any]]] = {
    "depth": _depth,
    "normals": _normals,
    "geometry": _geometry,
}


def _given(said: Description, name: str, *, default: Any) -> Any:
    value = said.index.get(name)
    return default if value is None else value
