"""Residual blocks and the two changes of resolution."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.network.norm import GroupNorm

Features = Float[Tensor, "batch channel height width"]


class ResidualBlock(nn.Module):
    """Two convolutions with a shortcut; the time embedding, if any, is added in between."""

    def __init__(
        self, inputs: int, outputs: int, *, groups: int, eps: float, time: int | None = None
    ) -> None:
        super().__init__()
        self.norm1 = GroupNorm(groups, inputs, eps=eps)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.time_emb_proj = None if time is None else nn.Linear(time, outputs)
        self.norm2 = GroupNorm(groups, outputs, eps=eps)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.conv_shortcut = None if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(
        self,
        features: Float[Tensor, "batch channel height width"],
        time: Float[Tensor, "batch time"] | None = None,
    ) -> Float[Tensor, "batch channel_out height width"]:
        """The block's output; its channels are `outputs`."""
        change = self.conv1(F.silu(self.norm1(features)))
        if self.time_emb_proj is not None and time is not None:
            change = change + self.time_emb_proj(F.silu(time))[:, :, None, None]
        change = self.conv2(F.silu(self.norm2(change)))
        if self.conv_shortcut is not None:
            features = self.conv_shortcut(features)
        return features + change


class Downsample(nn.Module):
    """Stride-2 convolution, padded on all sides: n becomes ceil(n / 2) (the UNet's)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, features: Features) -> Float[Tensor, "batch channel half_h half_w"]:
        """The map at half the resolution."""
        return self.conv(features)


class DownsampleFloor(nn.Module):
    """Stride-2 convolution, padded right and below: n becomes floor(n / 2) (the autoencoder's)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, features: Features) -> Float[Tensor, "batch channel half_h half_w"]:
        """The map at half the resolution."""
        return self.conv(F.pad(features, (0, 1, 0, 1)))


class Upsample(nn.Module):
    """Nearest-neighbour enlargement to a given size, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(
        self, features: Features, size: tuple[int, int] | None = None
    ) -> Float[Tensor, "batch channel up_h up_w"]:
        """The map at `size`, or at twice its size."""
        # A skip of 2n-1 rows asks for 2n-1 rows: the target is the skip's size, not twice ours.
        size = (2 * features.shape[2], 2 * features.shape[3]) if size is None else size
        return self.conv(F.interpolate(features, size=size, mode="nearest"))
