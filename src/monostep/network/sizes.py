"""Named sizes: the published one, the one that runs on any CPU, the one for tests."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from monostep.network.autoencoder_kl import AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTinyConfig
from monostep.network.image_encoder import ImageEncoderConfig
from monostep.network.unet import UNetConfig

SD2_UNET = UNetConfig(
    in_channels=8,  # RGB latent, then the latent to be denoised
    out_channels=4,
    channels=(320, 640, 1280, 1280),
    attention=(True, True, True, False),
    heads=(5, 10, 20, 20),
    layers=2,
    context=1024,
)
GEOWIZARD_UNET = replace(SD2_UNET, context=768, classes=10, joint=True)
GEOWIZARD_V2_UNET = replace(SD2_UNET, classes=4, joint=True)
CLIP_LARGE = ImageEncoderConfig()
SD2_AUTOENCODER = AutoencoderKLConfig(channels=(128, 256, 512, 512), layers=2)

NANO_UNET = UNetConfig(
    in_channels=8,
    out_channels=4,
    channels=(64, 96, 128, 160),
    attention=(False, True, True, False),
    heads=(2, 3, 4, 5),
    layers=1,
    context=32,
)
NANO_JOINT_UNET = replace(NANO_UNET, classes=10, joint=True)
NANO_IMAGE_ENCODER = ImageEncoderConfig(
    side=64, patch=16, width=64, layers=2, heads=2, inner=128, outputs=NANO_UNET.context
)
NANO_AUTOENCODER = AutoencoderTinyConfig(
    width=32, encoder_blocks=(1, 2, 2), decoder_blocks=(3, 2, 1)
)
NANO_AUTOENCODER_KL = AutoencoderKLConfig(channels=(24, 48, 64), layers=1, groups=8)

MINIATURE_UNET = replace(NANO_UNET, channels=(32, 64, 96, 128), heads=(1, 2, 3, 4))
MINIATURE_AUTOENCODER = AutoencoderTinyConfig(
    width=32,
    encoder_blocks=(0, 1, 2),
    decoder_blocks=(2, 1, 0),
    scale=2.0,  # its training holds latents at half of unit size, and noise has all of it
)

Size: TypeAlias = Literal["nano", "miniature"]


@dataclass(frozen=True, kw_only=True)
class Networks:
    """The dimensions of what is trained where there is nothing to start from."""

    unet: UNetConfig
    tiny: AutoencoderTinyConfig
    kl: AutoencoderKLConfig

    @property
    def joint_unet(self) -> UNetConfig:
        """The UNet of depth and normals together."""
        return replace(self.unet, classes=10, joint=True)


NETWORKS: dict[Size, Networks] = {
    "nano": Networks(unet=NANO_UNET, tiny=NANO_AUTOENCODER, kl=NANO_AUTOENCODER_KL),
    "miniature": Networks(unet=MINIATURE_UNET, tiny=MINIATURE_AUTOENCODER, kl=NANO_AUTOENCODER_KL),
}

TINY_UNET = UNetConfig(
    in_channels=8,
    out_channels=4,
    channels=(32, 32, 64, 64),
    attention=(True, True, True, False),
    heads=(1, 2, 4, 4),
    layers=2,
    context=16,
    groups=8,
)
TINY_JOINT_UNET = replace(TINY_UNET, classes=10, joint=True)
TINY_JOINT_V2_UNET = replace(TINY_UNET, classes=4, joint=True)
TINY_IMAGE_ENCODER = ImageEncoderConfig(
    side=28, patch=7, width=32, layers=2, heads=2, inner=64, outputs=TINY_UNET.context
)
TINY_AUTOENCODER = AutoencoderKLConfig(channels=(8, 16, 32, 32), layers=2, groups=4)
