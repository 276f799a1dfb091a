"""The whole model as a plain network: image in, map out.

    image -> encoder -> UNet -> decoder -> map

What a sampler, a clock, a prompt and a scale were for is in the weights. For more than one step the
sampler goes round the UNet, with one row of biases for each time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monostep.diffusion.sampler import Last, Sampler
from monostep.diffusion.schedule import Latent, Schedule
from monostep.errors import SettingError
from monostep.feedforward import codec_kl, codec_tiny
from monostep.feedforward.layers import Weighted
from monostep.feedforward.stream import Streamed
from monostep.feedforward.unet import UNet, rows, widths
from monostep.network.autoencoder_kl import AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTinyConfig
from monostep.network.image_encoder import ImageEncoderConfig
from monostep.network.unet import UNetConfig

Clock = Callable[[Sequence[int]], Float[Tensor, "time *any total"]]
Decoded = Float[Tensor, "batch channel height width"]
Encoder = codec_kl.Encoder | codec_tiny.Encoder
Decoder = codec_kl.Decoder | codec_tiny.Decoder


@dataclass(frozen=True, kw_only=True)
class Dimensions:
    """What the shapes of a folded network follow from."""

    unet: UNetConfig
    autoencoder: AutoencoderKLConfig | AutoencoderTinyConfig
    tokens: int  # of the prompt that was folded in, or of an image's
    channels: int  # of the map: 1 for depth, 3 for normals and for both
    sees_noise: bool  # whether the UNet looks at a noisy latent, too
    ends: Last | None = None  # of a single step from zeros that is in the weights: what it returns
    image_encoder: ImageEncoderConfig | None = None  # whose vector is an image's one token


class FeedForward(nn.Module):
    """The folded model, with the interface of `LatentDiffusion`.

    Called as it stands it takes one step from zeros. Differentiable; asking for parameters, state
    or another device first brings packed weights back into their plain order.

    Args:
        dimensions: of all parts.
        schedule: of the model that was folded.
        times: timesteps with a row in the table `time`.
        clock: gives rows for further timesteps; None if there can be none.
    """

    time: Tensor

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        schedule: Schedule,
        times: Sequence[int],
        clock: Clock | None = None,
    ) -> None:
        super().__init__()
        latent = dimensions.autoencoder.latent_channels
        self.original_schedule = schedule
        if dimensions.ends is not None:
            schedule = replace(schedule, target="sample", sampler="ddim")
        self.dimensions, self.schedule, self.clock = dimensions, schedule, clock
        self.times = tuple(times)
        self.encoder, self.decoder = _codec(dimensions)
        self.unet = UNet(
            dimensions.unet,
            latent=latent,
            noisy=latent if dimensions.sees_noise else 0,
            tokens=0 if dimensions.image_encoder is not None else dimensions.tokens,
        )
        table = (len(self.times), *rows(dimensions.unet), sum(widths(self.unet)))
        self.register_buffer("time", torch.empty(table))

    @property
    def multiple(self) -> int:
        """Image sides must be divisible by this for the output to have the input's size."""
        return self.dimensions.autoencoder.factor

    @property
    def sees_noise(self) -> bool:
        """Whether the UNet has an input for z_t."""
        return self.dimensions.sees_noise

    @property
    def prompt_tokens(self) -> int:
        """Length of the prompt that was folded in."""
        return self.dimensions.tokens

    @property
    def dtype(self) -> torch.dtype:
        """Precision of all but the decoder's last layer, which is float32."""
        return self.time.dtype

    def encode(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch latent_channels latent_height latent_width"]:
        """The scaled latent z_x of images in [-1, 1], in float32."""
        return self.encoder(image.to(self.dtype)).float()

    def decode(
        self, latent: Float[Tensor, "batch latent_channels latent_height latent_width"]
    ) -> Decoded:
        """The map, about [-1, 1], of a scaled latent, in float32."""
        return self.decoder(latent.to(self.dtype)).float()

    def output(self, image_latent: Latent, noisy: Latent, time: int) -> Latent:
        """What the UNet says about z_t beside z_x at a timestep, in float32.

        Raises:
            SettingError: a timestep that was not folded in.
        """
        row = self._row(time)
        seen = noisy.to(self.dtype) if self.sees_noise else None
        return self.unet(image_latent.to(self.dtype), seen, row).float()

    def forward(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch channel decoded_height decoded_width"]:
        """The map, about [-1, 1], of images in [-1, 1], in one step from zeros."""
        image_latent = self.encode(image)
        noise = torch.zeros_like(image_latent)[None]
        return self.decode(self.one_step().end(partial(self.output, image_latent), noise))

    def one_step(self) -> Sampler:
        """The way of one step from zeros, to the latent that was folded in if one was."""
        time = self.schedule.last if self.dimensions.ends is None else self.times[0]
        return Sampler(schedule=self.schedule, times=(time,), last="clean")

    def stream(self, strip: int) -> "FeedForward":
        """Go through large maps in strips of about so many bytes; 0: whole. Same values."""
        for module in self.modules():
            if isinstance(module, Streamed):
                module.strip = strip
        return self

    def unpack(self) -> None:
        """Bring all weights into memory, in their plain order."""
        for module in self.modules():
            if isinstance(module, Weighted):
                module.unpack()

    def named_parameters(self, *args: Any, **kwargs: Any) -> Any:
        """As of any module."""
        self.unpack()
        return super().named_parameters(*args, **kwargs)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """As of any module."""
        self.unpack()
        return super().state_dict(*args, **kwargs)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """As of any module."""
        self.unpack()
        return super().load_state_dict(*args, **kwargs)

    def _apply(self, *args: Any, **kwargs: Any) -> Any:
        self.unpack()
        return super()._apply(*args, **kwargs)

    def _row(self, time: int) -> Float[Tensor, "*any total"]:
        """The biases at a timestep."""
        self.learn([time])
        return self.time[self.times.index(time)]

    def learn(self, times: Sequence[int]) -> None:
        """Have a row for each of these timesteps.

        Raises:
            SettingError: one was not folded in, and there is no clock.
        """
        new = [time for time in times if time not in self.times]
        if not new:
            return
        if self.clock is None:
            raise SettingError(
                f"timesteps {_list(new)}: this file was folded for {_list(self.times)}; fold its "
                "checkpoint again with the steps and spacing you want, or use the checkpoint"
            )
        with torch.inference_mode(mode=False), torch.no_grad():
            rows = self.clock(new).to(self.time)
            self.time, self.times = torch.cat([self.time, rows]), (*self.times, *new)


def cast(network: FeedForward, dtype: torch.dtype) -> FeedForward:
    """The network in a precision, but for the decoder's last norm and convolution in float32.

    Depth from them would have 8 bits, where 16-bit formats have that many for a whole number.
    """
    network.unpack()
    last = last_layer(network)
    exact = {name: weight.detach().float() for name, weight in last.named_parameters()}
    network.to(dtype)
    last.float().load_state_dict(exact)
    return network


def last_layer(network: FeedForward) -> nn.Module:
    """The decoder's last norm and convolution."""
    decoder = network.decoder
    return decoder.out if isinstance(decoder, codec_tiny.Decoder) else decoder[-1]


def _codec(dimensions: Dimensions) -> tuple[Encoder, Decoder]:
    of, channels = dimensions.autoencoder, dimensions.channels
    if isinstance(of, AutoencoderKLConfig):
        return codec_kl.Encoder(of), codec_kl.Decoder(of, channels=channels)
    return codec_tiny.Encoder(of), codec_tiny.Decoder(of, channels=channels)


def _list(times: Sequence[int]) -> str:
    shown = ", ".join(map(str, times[:10]))
    return shown if len(times) <= 10 else f"{shown}, ..."
