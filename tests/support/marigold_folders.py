"""Tiny checkpoints with random weights, written by diffusers in each published layout.

The networks are calibrated instead of left as initialised, since a random decoder's output either
collapses to a constant or saturates, and a test on it proves nothing: on one random picture the
last layer of the encoder, of the UNet and of the decoder is shifted and scaled, channel by channel,
so that latents and the UNet's output have mean 0 and deviation 1, and the decoded map, as the task
reads it, mean 0 and deviation `SPREAD`. `tests/checkpoints/test_marigold_folders.py` measures it.
"""

import json
import warnings
from pathlib import Path
from typing import Literal

import torch
import written_once
from torch import nn

from monostep.network.sizes import TINY_AUTOENCODER, TINY_UNET

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import diffusers
    import transformers

    transformers.utils.logging.disable_progress_bar()

Kind = Literal[
    "marigold-depth-v1-0",
    "marigold-depth-v1-1",
    "marigold-normals-v0-1",
    "marigold-normals-v1-1",
    "marigold-lcm",
    "e2e-depth",
    "e2e-normals",
    "sd-e2e-depth",
    "e2e-depth-4-channels",
    "stable-diffusion-2",
]
SPREAD = 0.4  # deviation of the decoded map; 98 of 100 normal values lie within [-1, 1]
SCALE = 0.18215
BOS, EOS = 49406, 49407
COMPONENTS = {
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
SAFETY = {
    "feature_extractor": [None, None],
    "image_encoder": [None, None],
    "requires_safety_checker": True,
    "safety_checker": [None, None],
}
AFFINE = {"scale_invariant": True, "shift_invariant": True}
# Keys of model_index.json beyond the components, as each repository has them.
INDEX: dict[str, dict] = {
    "marigold-depth-v1-0": {"_class_name": "MarigoldPipeline", "_diffusers_version": "0.24.0"},
    "marigold-depth-v1-1": {
        "_class_name": "MarigoldDepthPipeline",
        "default_denoising_steps": 4,
        "default_processing_resolution": 768,
        "prediction_type": "depth",
        **AFFINE,
    },
    "marigold-normals-v0-1": {
        "_class_name": "MarigoldPipeline",
        "default_denoising_steps": 10,
        "default_processing_resolution": 768,
        "use_full_z_range": True,
    },
    "marigold-normals-v1-1": {
        "_class_name": "MarigoldNormalsPipeline",
        "default_denoising_steps": 4,
        "default_processing_resolution": 768,
        "prediction_type": "normals",
        "use_full_z_range": True,
    },
    "marigold-lcm": {
        "_class_name": "MarigoldPipeline",
        "default_denoising_steps": 1,
        "default_processing_resolution": 768,
        "scheduler": ["diffusers", "LCMScheduler"],
        **AFFINE,
    },
    "e2e-depth": {"_class_name": "StableDiffusionPipeline", **SAFETY},
    "e2e-normals": {"_class_name": "StableDiffusionPipeline", **SAFETY},
    "sd-e2e-depth": {
        "_class_name": "StableDiffusionPipeline",
        **SAFETY,
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
    },
    "e2e-depth-4-channels": {"_class_name": "StableDiffusionPipeline", **SAFETY},
    "stable-diffusion-2": {
        "_class_name": "StableDiffusionPipeline",
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
        "requires_safety_checker": False,
        "safety_checker": [None, None],
    },
}
SCHEDULER = {
    "_class_name": "DDIMScheduler",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "trained_betas": None,
}
NEWER = {
    **SCHEDULER,
    "clip_sample_range": 1.0,
    "dynamic_thresholding_ratio": 0.995,
    "rescale_betas_zero_snr": False,
    "sample_max_value": 1.0,
    "thresholding": False,
    "timestep_spacing": "leading",
}
ZERO_SNR = {**NEWER, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
SCHEDULERS: dict[str, dict] = {
    "marigold-depth-v1-1": ZERO_SNR,
    "marigold-normals-v1-1": ZERO_SNR,
    "marigold-lcm": {
        **NEWER,
        "_class_name": "LCMScheduler",
        "original_inference_steps": 50,
        "timestep_scaling": 10.0,
    },
    "e2e-depth": NEWER,
    "e2e-normals": NEWER,
    "sd-e2e-depth": NEWER,
    "e2e-depth-4-channels": NEWER,
}


def write(path: Path, kind: Kind, *, seed: int = 0, text_encoder: bool = True) -> Path:
    """A checkpoint of this kind as a folder; another seed is another checkpoint."""
    return written_once.folder(
        path,
        (kind, seed, text_encoder),
        lambda place: write_anew(place, kind, seed=seed, text_encoder=text_encoder),
    )


def write_anew(path: Path, kind: Kind, *, seed: int = 0, text_encoder: bool = True) -> None:
    """What `write` does where it has not yet made the same."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        unet, vae = networks(kind)
        unet.save_pretrained(path / "unet")
        vae.save_pretrained(path / "vae")
        if text_encoder:
            _text_encoder().save_pretrained(path / "text_encoder")
            _tokenizer(path / "tokenizer")
    _json(path / "scheduler" / "scheduler_config.json", SCHEDULERS.get(kind, SCHEDULER))
    _json(path / "model_index.json", {"_diffusers_version": "0.31.0", **COMPONENTS, **INDEX[kind]})


def networks(kind: Kind) -> tuple[nn.Module, nn.Module]:
    """The calibrated UNet and autoencoder of a kind, from torch's global generator."""
    four = kind in ("stable-diffusion-2", "e2e-depth-4-channels")
    unet, vae = _unet(inputs=4 if four else 8).eval(), _autoencoder().eval()
    with torch.no_grad():
        _calibrate(unet, vae, normals="normals" in kind)
    return unet, vae


def _unet(*, inputs: int) -> nn.Module:
    return diffusers.UNet2DConditionModel(
        sample_size=96,
        in_channels=inputs,
        out_channels=4,
        block_out_channels=TINY_UNET.channels,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        layers_per_block=TINY_UNET.layers,
        cross_attention_dim=TINY_UNET.context,
        attention_head_dim=TINY_UNET.heads,
        use_linear_projection=True,
        norm_num_groups=TINY_UNET.groups,
    )


def _autoencoder() -> nn.Module:
    levels = len(TINY_AUTOENCODER.channels)
    return diffusers.AutoencoderKL(
        sample_size=768,
        block_out_channels=TINY_AUTOENCODER.channels,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        layers_per_block=TINY_AUTOENCODER.layers,
        norm_num_groups=TINY_AUTOENCODER.groups,
        scaling_factor=SCALE,
    )


def _calibrate(unet: nn.Module, vae: nn.Module, *, normals: bool) -> None:
    image = smooth_picture(96, 128)
    latent = vae.encode(image).latent_dist.mean
    _standardise(vae.quant_conv, latent, deviation=1 / SCALE, channels=slice(4))
    latent = SCALE * vae.encode(image).latent_dist.mean
    inputs = latent if unet.config.in_channels == 4 else torch.cat([latent, 0 * latent], dim=1)
    prompt = torch.randn(1, 2, TINY_UNET.context)
    _standardise(unet.conv_out, unet(inputs, 999, prompt).sample, deviation=1.0)
    clean = -unet(inputs, 999, prompt).sample
    decoded = vae.decode(clean / SCALE).sample
    _standardise(vae.decoder.conv_out, decoded, deviation=SPREAD)
    if not normals:  # depth is the mean of the channels, which spreads less than each
        spread = vae.decode(clean / SCALE).sample.mean(dim=1).std()
        vae.decoder.conv_out.weight.mul_(SPREAD / spread)
        vae.decoder.conv_out.bias.mul_(SPREAD / spread)


def _standardise(
    layer: nn.Conv2d, output: torch.Tensor, *, deviation: float, channels: slice = slice(None)
) -> None:
    """Give each output channel of a last layer mean 0 and this deviation on the seen output."""
    gain = deviation / output.std(dim=(0, 2, 3))
    layer.weight[channels] *= gain[:, None, None, None]
    layer.bias[channels] = (layer.bias[channels] - output.mean(dim=(0, 2, 3))) * gain


def smooth_picture(height: int, width: int) -> torch.Tensor:
    """A random picture [1, 3, H, W] in [-1, 1] with coarse and fine structure."""
    coarse = torch.rand(1, 3, 6, 8) * 2 - 1
    smooth = nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    return (0.8 * smooth + 0.2 * (torch.rand(1, 3, height, width) * 2 - 1)).clamp(-1, 1)


def _text_encoder() -> nn.Module:
    return transformers.CLIPTextModel(
        transformers.CLIPTextConfig(
            vocab_size=EOS + 1,
            hidden_size=TINY_UNET.context,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=77,
            hidden_act="gelu",
            projection_dim=16,
            bos_token_id=0,
            eos_token_id=2,
        )
    )


def _tokenizer(folder: Path) -> None:
    """Just enough of the vocabulary for the empty prompt: pad "!", the two ends of a text."""
    vocabulary = {"!": 0, "!</w>": 256, "<|startoftext|>": BOS, "<|endoftext|>": EOS}
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>"}
    special |= {"unk_token": "<|endoftext|>", "pad_token": "!"}
    _json(folder / "vocab.json", vocabulary)
    (folder / "merges.txt").write_text("#version: 0.2\n")
    _json(folder / "special_tokens_map.json", special)
    _json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, **special},
    )


def _json(path: Path, values: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=2) + "\n")
