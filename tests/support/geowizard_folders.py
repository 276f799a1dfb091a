"""Tiny GeoWizard checkpoints with random weights, written by diffusers and transformers.

geowizard           lemonaddie/geowizard: both versions' UNets; its index is not strict JSON
geowizard-e2e       GonzaloMG/geowizard-e2e-ft: fine-tuned; its scheduler says "leading"
stable-diffusion-2  what the second version's UNet takes its words from: text encoder and tokenizer
                    whose few words have CLIP's own numbers

Calibrated as `marigold_folders` says, under joint attention, so that no map is constant or
saturates: each channel of the decoded maps has mean 0 and deviation `SPREAD` on one random picture.
`tests/checkpoints/test_geowizard_folders.py` measures it.
"""

import json
import warnings
from pathlib import Path
from typing import Literal

import diffusers_joint
import diffusers_twin
import marigold_folders
import torch
import written_once
from marigold_folders import BOS, EOS, NEWER, SCALE, SCHEDULER, SPREAD
from torch import nn

from monostep.network.sizes import (
    TINY_AUTOENCODER,
    TINY_IMAGE_ENCODER,
    TINY_JOINT_UNET,
    TINY_JOINT_V2_UNET,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import diffusers
    import transformers

Kind = Literal["geowizard", "geowizard-e2e", "stable-diffusion-2"]
INDEX = {
    "_class_name": "DepthNormalEstimationPipeline",
    "feature_extractor": ["transformers", "CLIPImageProcessor"],
    "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
E2E_UNET = ["geowizard.models.unet_2d_condition", "UNet2DConditionModel"]
SIDE = TINY_IMAGE_ENCODER.side
FEATURE_EXTRACTOR = {
    "crop_size": {"height": SIDE, "width": SIDE},
    "do_center_crop": True,
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": list(TINY_IMAGE_ENCODER.mean),
    "image_processor_type": "CLIPImageProcessor",
    "image_std": list(TINY_IMAGE_ENCODER.std),
    "resample": 3,
    "rescale_factor": 1 / 255,
    "size": {"shortest_edge": SIDE},
}
DEPTH, NORMALS = (0.0, 1.0), (1.0, 0.0)
INDOOR, OUTDOOR, OBJECT = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
# The numbers of CLIP's vocabulary of what the four words are put together from, in its order.
MERGES = {
    "i n": 512, "o u": 520, "o m": 547, "o r</w>": 541, "g e": 619, "t r": 635, "d o": 639,
    "e c": 747, "ou t": 1130, "tr y</w>": 1209, "j ec": 1347, "o b": 1411, "do or</w>": 2489,
    "om e": 3693, "jec t</w>": 6070, "out door</w>": 6368, "in door</w>": 9546,
    "ge ome": 12958, "ob ject</w>": 14115, "geome try</w>": 21731,
}  # fmt: skip


def write(path: Path, kind: Kind, *, seed: int = 0) -> Path:
    """A checkpoint of this kind as a folder; another seed is another checkpoint."""
    return written_once.folder(
        path, ("geowizard", kind, seed), lambda place: write_anew(place, kind, seed=seed)
    )


def write_anew(path: Path, kind: Kind, *, seed: int = 0) -> None:
    """What `write` does where it has not yet made the same."""
    if kind == "stable-diffusion-2":
        marigold_folders.write_anew(path, kind, seed=seed)
        _tokenizer(path / "tokenizer")
        return
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        unets, vae, image_encoder = networks()
        unets[0].save_pretrained(path / "unet")
        if kind == "geowizard":
            unets[1].save_pretrained(path / "unet_v2")
        vae.save_pretrained(path / "vae")
        image_encoder.save_pretrained(path / "image_encoder")
    _json(path / "feature_extractor" / "preprocessor_config.json", FEATURE_EXTRACTOR)
    _index(path, kind)


def _index(path: Path, kind: Kind) -> None:
    e2e = kind == "geowizard-e2e"
    _json(path / "scheduler" / "scheduler_config.json", NEWER if e2e else SCHEDULER)
    version = {"_diffusers_version": "0.30.2" if e2e else "0.25.0"}
    entries = {**INDEX, **version, **({"unet": E2E_UNET} if e2e else {})}
    _json(path / "model_index.json", dict(sorted(entries.items())))
    if not e2e:  # as published: a comma that JSON does not allow
        index = path / "model_index.json"
        index.write_text(index.read_text().replace("]\n}", "],\n}"))


def networks() -> tuple[tuple[nn.Module, nn.Module], nn.Module, nn.Module]:
    """The calibrated UNets (both versions), autoencoder and image encoder, as `torch.rand` falls.

    The UNets have diffusers' stock attention, as every library loads them.
    """
    vae = diffusers_twin.autoencoder_kl(TINY_AUTOENCODER).eval()
    unets = tuple(diffusers_twin.unet(c).eval() for c in (TINY_JOINT_UNET, TINY_JOINT_V2_UNET))
    image_encoder = _image_encoder().eval()
    with torch.no_grad():
        for unet in unets:  # so that what is told apart by them is seen in the maps
            _widen(unet)
        _calibrate(unets, vae, image_encoder)
    for unet in unets:
        unet.set_attn_processor(diffusers.models.attention_processor.AttnProcessor2_0())
    return unets, vae, image_encoder


def class_labels(count: int, domain: tuple[float, ...] = INDOOR) -> torch.Tensor:
    """The published class numbers [2 count, 10], first of depths, then of normals."""
    rows = []
    for geometry in (DEPTH, NORMALS):
        one_hot = torch.tensor(geometry), torch.tensor(domain)
        rows += [torch.cat([f(part) for part in one_hot for f in (torch.sin, torch.cos)])] * count
    return torch.stack(rows)


def _image_encoder() -> nn.Module:
    ours = TINY_IMAGE_ENCODER
    config = transformers.CLIPVisionConfig(
        image_size=ours.side,
        patch_size=ours.patch,
        hidden_size=ours.width,
        intermediate_size=ours.inner,
        num_hidden_layers=ours.layers,
        num_attention_heads=ours.heads,
        projection_dim=ours.outputs,
        hidden_act=ours.activation,
    )
    encoder = transformers.CLIPVisionModelWithProjection(config)
    for parameter in encoder.parameters():  # freshly made, it would hardly see the picture
        parameter.data.add_(0.2 * torch.randn_like(parameter))
    return encoder


def _widen(unet: nn.Module) -> None:
    for name, parameter in unet.named_parameters():
        if "class_embedding" in name or "attn1.to_" in name:
            parameter.mul_(3)


def _calibrate(unets: tuple[nn.Module, ...], vae: nn.Module, image_encoder: nn.Module) -> None:
    image = marigold_folders.smooth_picture(96, 128)
    latent = vae.encode(image).latent_dist.mean
    standardise(vae.quant_conv, latent, deviation=1 / SCALE, channels=slice(4))
    latent = SCALE * vae.encode(image).latent_dist.mean
    seen = torch.cat([latent, 0 * latent], dim=1).repeat(2, 1, 1, 1)
    square = nn.functional.interpolate(image, (SIDE, SIDE), mode="bicubic", antialias=True)
    token = image_encoder(square).image_embeds[:, None]
    words = torch.randn(1, 4, TINY_JOINT_V2_UNET.context)
    for unet, context in zip(unets, (token, words), strict=True):
        diffusers_joint.install(unet)
        labels = class_labels(1)[:, : unet.config.projection_class_embeddings_input_dim]
        told = {"encoder_hidden_states": context.repeat(2, 1, 1), "class_labels": labels}
        standardise(unet.conv_out, unet(seen, 999, **told).sample, deviation=1.0)
    clean = -unets[0](
        seen, 999, encoder_hidden_states=token.repeat(2, 1, 1), class_labels=class_labels(1)
    ).sample
    standardise(vae.decoder.conv_out, vae.decode(clean / SCALE).sample, deviation=SPREAD)


def standardise(layer, output, *, deviation, channels=slice(None)) -> None:
    """Give each output channel of a last layer mean 0 and this deviation on the seen output."""
    gain = deviation / output.std(dim=(0, 2, 3))
    layer.weight[channels] *= gain[:, None, None, None]
    layer.bias[channels] = (layer.bias[channels] - output.mean(dim=(0, 2, 3))) * gain


def _tokenizer(folder: Path) -> None:
    """CLIP's vocabulary as far as the empty prompt and "<domain> geometry" need it."""
    letters = {letter: ord(letter) - ord("!") for letter in "!bcdegijmnortuy"}
    ends = {f"{letter}</w>": number + 256 for letter, number in letters.items()}
    words = {merge.replace(" ", ""): number for merge, number in MERGES.items()}
    vocabulary = {**letters, **ends, **words, "<|startoftext|>": BOS, "<|endoftext|>": EOS}
    _json(folder / "vocab.json", vocabulary)
    in_order = sorted(MERGES, key=MERGES.__getitem__)
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *in_order, ""]))


def _json(path: Path, values: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=2) + "\n")
