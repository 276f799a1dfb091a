"""One small joint model twice: ours, and diffusers' and transformers' networks, in float64."""

import math
import warnings
from dataclasses import dataclass, replace

import diffusers_joint
import diffusers_twin
import paired_models
import torch
from torch import nn
from torch.nn import functional as F

from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.network.image_encoder import ImageEncoder, ImageEncoderConfig

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import transformers

SCALE = paired_models.SCALE
GEOMETRIES = ((0, 1), (1, 0))  # depth, normals
OUTDOOR, OBJECT = 1, 2
DOMAINS = (OBJECT, OUTDOOR)  # of the two images
_SEES = ImageEncoderConfig(side=8, patch=4, width=16, layers=1, heads=2, inner=32, outputs=8)


@dataclass(frozen=True, kw_only=True)
class Theirs:
    """The networks of the other libraries."""

    unet: nn.Module
    vae: nn.Module
    eye: nn.Module

    def encode(self, picture):
        return SCALE * self.vae.encode(picture).latent_dist.mean

    def say(self, image, noisy, time):
        """What the UNet says of two images in [0, 1], and noisy latents of both halves."""
        z_x = self.encode(image * 2 - 1)
        square = F.interpolate(image, (8, 8), mode="bicubic", antialias=True, align_corners=False)
        mean, std = (torch.tensor(each).double()[:, None, None] for each in (_SEES.mean, _SEES.std))
        token = self.eye((square - mean) / std).image_embeds[:, None]
        return self.unet(
            torch.cat([torch.cat([z_x, z_x]), noisy], dim=1),
            time,
            encoder_hidden_states=torch.cat([token, token]),
            class_labels=labels(),
        ).sample


def labels():
    """GeoWizard's ten numbers of the two images in both halves."""
    rows = []
    for geometry in GEOMETRIES:
        for domain in DOMAINS:
            place = [float(k == domain) for k in range(3)]
            waves = [f(g) for f in (math.sin, math.cos) for g in geometry]
            rows.append(waves + [f(d) for f in (math.sin, math.cos) for d in place])
    return torch.tensor(rows, dtype=torch.float64)


def model(*, joint=True, seed=0):
    """Ours alone, in float32."""
    plain = paired_models.model(seed=seed)
    config = replace(plain.unet.config, classes=10, joint=joint)
    ours = JointDiffusion(
        unet=type(plain.unet)(config),
        autoencoder=plain.vae,
        schedule=plain.schedule,
        image_encoder=ImageEncoder(_SEES),
    )
    with torch.no_grad():  # random networks hardly tell what they are told
        for name, parameter in ours.unet.named_parameters():
            if "class_embedding" in name or "attn" in name:
                parameter.mul_(3)
    return ours


def pair(*, joint=True):
    """Ours and theirs with the same weights."""
    ours = model(joint=joint).double()
    unet = diffusers_twin.unet(ours.unet.config).double()
    unet.load_state_dict(ours.unet.state_dict())
    vae = diffusers_twin.autoencoder_kl(ours.vae.config).double()
    vae.load_state_dict(ours.vae.state_dict())
    config = transformers.CLIPVisionConfig(
        hidden_size=_SEES.width,
        intermediate_size=_SEES.inner,
        projection_dim=_SEES.outputs,
        num_hidden_layers=_SEES.layers,
        num_attention_heads=_SEES.heads,
        image_size=_SEES.side,
        patch_size=_SEES.patch,
    )
    eye = transformers.CLIPVisionModelWithProjection(config).double()
    eye.load_state_dict(ours.image_encoder.state_dict())
    return ours, Theirs(unet=diffusers_joint.install(unet) if joint else unet, vae=vae, eye=eye)


rows = paired_models.rows


def batch(*, dtype=torch.float32, **others):
    """The two images of `paired_models`, one of an object and one outdoors."""
    found = paired_models.batch(dtype=dtype, **others)
    return replace(found, samples=replace(found.samples, kind=torch.tensor(DOMAINS)))
