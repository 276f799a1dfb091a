"""The noise schedule, as diffusers' scheduler_config.json spells it and back.

A file of this family says little that can be trusted: keys that it leaves out have other defaults
in diffusers' classes than the checkpoints were trained with, and its `timestep_spacing` is often
the wrong one, so that the family decides the spacing, not the file.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.diffusion.schedule import (
    Schedule,
    Target,
    linear,
    scaled_linear,
    zero_terminal_snr,
)
from monostep.errors import CheckpointError

TARGETS: dict[str, Target] = {
    "sample": "sample",
    "epsilon": "epsilon",
    "v_prediction": "velocity",
}
LCM = "LCMScheduler"
# Ways down the same schedule; all but LCM's are walked as DDIM.
CLASSES = {
    LCM,
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "UniPCMultistepScheduler",
}
# What the checkpoints of the family were trained with, whatever diffusers' classes assume.
TRAINED = {
    "_class_name": "DDIMScheduler",
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "trained_betas": None,
    "prediction_type": "v_prediction",
    "clip_sample": False,
    "thresholding": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "rescale_betas_zero_snr": False,
    "original_inference_steps": 50,
    "timestep_scaling": 10.0,
}


def from_json(config: dict[str, Any]) -> Schedule:
    """The schedule of a scheduler_config.json; absent or null keys are as the family trained.

    Raises:
        CheckpointError: a scheduler, prediction or noise schedule of another kind.
    """
    said = TRAINED | {name: value for name, value in config.items() if value is not None}
    _among("_class_name", said["_class_name"], CLASSES)
    _among("prediction_type", said["prediction_type"], TARGETS)
    for name in ("clip_sample", "thresholding"):
        if said[name]:
            raise CheckpointError(
                f"scheduler config: {name} is true, which no published checkpoint of the family "
                "uses and which is not implemented; expected false"
            )
    if said["prediction_type"] == "epsilon" and said["rescale_betas_zero_snr"]:
        raise CheckpointError(
            "scheduler config: epsilon prediction with rescale_betas_zero_snr; noise says nothing "
            "of a latent that is all noise, expected v_prediction or sample"
        )
    try:
        alpha_bar = _alpha_bar(said)
        if not 0 <= int(said["steps_offset"]) < len(alpha_bar):
            raise ValueError(f"steps_offset {said['steps_offset']} is outside of the timesteps")
        return Schedule(
            alpha_bar=zero_terminal_snr(alpha_bar) if said["rescale_betas_zero_snr"] else alpha_bar,
            target=TARGETS[said["prediction_type"]],
            sampler="lcm" if said["_class_name"] == LCM else "ddim",
            offset=int(said["steps_offset"]),
            ends_clean=bool(said["set_alpha_to_one"]),
            coarse=int(said["original_inference_steps"]),
            time_scale=float(said["timestep_scaling"]),
        )
    except (TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"scheduler config: {error}; expected numbers") from error


def to_json(schedule: Schedule, spacing: str) -> dict[str, Any]:
    """The scheduler_config.json from which diffusers makes the same schedule and spacing."""
    consistency = schedule.sampler == "lcm"
    names = {target: name for name, target in TARGETS.items()}
    config = {
        "_class_name": LCM if consistency else "DDIMScheduler",
        "prediction_type": names[schedule.target],
        "timestep_spacing": "trailing" if spacing == "lcm" else spacing,
        "clip_sample": False,
        "set_alpha_to_one": schedule.ends_clean,
        "steps_offset": schedule.offset,
        **_betas(schedule.alpha_bar),
    }
    if consistency:
        config["original_inference_steps"] = schedule.coarse
        config["timestep_scaling"] = schedule.time_scale
    return config


def _alpha_bar(said: dict[str, Any]) -> Float[Tensor, " time"]:
    if said["trained_betas"] is not None:
        betas = torch.tensor(said["trained_betas"], dtype=torch.float32)
        return torch.cumprod(1 - betas, dim=0)
    _among("beta_schedule", said["beta_schedule"], {"scaled_linear", "linear"})
    spread = scaled_linear if said["beta_schedule"] == "scaled_linear" else linear
    return spread(
        start=float(said["beta_start"]),
        end=float(said["beta_end"]),
        steps=int(said["num_train_timesteps"]),
    )


def _betas(alpha_bar: Float[Tensor, " time"]) -> dict[str, Any]:
    """The keys that say this alpha-bar: the family's own by name, any other step by step."""
    plain = scaled_linear(steps=len(alpha_bar))
    for rescale, known in ((False, plain), (True, zero_terminal_snr(plain))):
        if torch.equal(alpha_bar, known):
            return {
                "beta_schedule": "scaled_linear",
                "beta_start": TRAINED["beta_start"],
                "beta_end": TRAINED["beta_end"],
                "num_train_timesteps": len(alpha_bar),
                "rescale_betas_zero_snr": rescale,
            }
    before = torch.cat([torch.ones(1), alpha_bar[:-1]])
    return {
        "trained_betas": (1 - alpha_bar / before).tolist(),
        "num_train_timesteps": len(alpha_bar),
    }


def _among(name: str, value: Any, choices: Any) -> None:
    if value not in choices:
        raise CheckpointError(
            f"scheduler config: {name} {value!r}; expected one of {', '.join(sorted(choices))}"
        )
