"""The least that a user of diffusers writes to get a map into a file; no monostep in it.

    python minimal_diffusers.py '{"folder": ..., "prompt": ..., "photo": ..., "output": ...,
        "task": ..., "steps": ..., "spacing": ..., "zeros": ..., "device": ...}'

It is handed the embedding of the empty prompt and loads no text encoder, which is less than it
would have to do with most published checkpoints.
"""

# pyright: reportPrivateImportUsage=false

import json
import sys
from pathlib import Path

import diffusers
import numpy
import torch
from PIL import Image

SHIFTED = {"depth": {"scale_invariant": True, "shift_invariant": True}, "normals": {}}


def main(asked: dict) -> None:
    """Load, predict, write."""
    folder = Path(asked["folder"])
    said = {
        part: json.loads((folder / part / name).read_text())["_class_name"]
        for part, name in (("vae", "config.json"), ("scheduler", "scheduler_config.json"))
    }
    spaced = {} if said["scheduler"] == "LCMScheduler" else {"timestep_spacing": asked["spacing"]}
    pipelines = {
        "depth": diffusers.MarigoldDepthPipeline,
        "normals": diffusers.MarigoldNormalsPipeline,
    }
    exact = {"torch_dtype": torch.float32}
    unet = diffusers.UNet2DConditionModel.from_pretrained(folder, subfolder="unet", **exact)
    vae = getattr(diffusers, said["vae"]).from_pretrained(folder, subfolder="vae", **exact)
    scheduler = getattr(diffusers, said["scheduler"])
    pipeline = pipelines[asked["task"]](
        unet=unet,
        vae=vae,
        scheduler=scheduler.from_pretrained(folder, subfolder="scheduler", **spaced),
        text_encoder=None,
        tokenizer=None,
        prediction_type=asked["task"],
        **SHIFTED[asked["task"]],
    ).to(asked["device"])
    prompt = torch.from_numpy(numpy.load(asked["prompt"]))
    pipeline.empty_text_embedding = prompt[None].to(asked["device"])
    photo = Image.open(asked["photo"])
    start = {}
    if asked["zeros"]:
        factor = pipeline.vae_scale_factor
        latents = torch.zeros(1, 4, photo.height // factor, photo.width // factor)
        start = {"latents": latents.to(asked["device"])}
    steps, resolution = asked["steps"], 0
    made = pipeline(
        photo, num_inference_steps=steps, processing_resolution=resolution, ensemble_size=1, **start
    )
    numpy.save(asked["output"], made.prediction[0])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
