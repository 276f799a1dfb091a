"""Low-rank adapters: W + (alpha / rank) B A, where only A and B learn.

A [rank, inputs] is random and B [outputs, rank] zero, so that an adapted network begins as the
network it was. Merged, it is an ordinary network again, of the same size and speed.
Source: Hu et al., LoRA: low-rank adaptation of large language models (ICLR 2022).
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

from monostep.errors import SettingError
from monostep.network.attention import Attention, FeedForward

Place: TypeAlias = Literal["attention", "feed-forward", "convolution"]


class LowRank(nn.Module):
    """The addition to one weight, whatever its shape: convolutions are seen as matrices."""

    def __init__(self, weight: Tensor, *, rank: int, alpha: float) -> None:
        super().__init__()
        outputs, inputs = len(weight), weight[0].numel()
        here = {"device": weight.device, "dtype": weight.dtype}
        self.scale = alpha / rank
        # Of variance 1 / inputs: what A makes of its input is as large as the input.
        self.a = nn.Parameter(torch.randn(rank, inputs, **here) * inputs**-0.5)
        self.b = nn.Parameter(torch.zeros(outputs, rank, **here))

    def forward(self, weight: Float[Tensor, "outputs *inputs"]) -> Float[Tensor, "outputs *inputs"]:
        """The weight with its addition, in the weight's own precision also under autocast."""
        with torch.autocast(weight.device.type, enabled=False):
            return weight + (self.scale * (self.b @ self.a)).view_as(weight)


def adapt(
    module: nn.Module,
    rank: int,
    alpha: float | None = None,
    places: tuple[Place, ...] = ("attention",),
) -> None:
    """Freeze `module` and give its layers at `places` low-rank additions, which alone learn.

    Args:
        module: a network; its outputs stay the same to the bit.
        rank: of the additions.
        alpha: they are scaled by alpha / rank; by 1 if None.
        places: "attention" is every projection to queries, keys, values and output;
            "feed-forward" the perceptrons after them; "convolution" every convolution.

    Raises:
        SettingError: a rank below 1, a network that has adapters, or one without such layers.
    """
    if rank < 1:
        raise SettingError(f"rank is {rank}: it must be at least 1")
    if next(_adapted(module), None) is not None:
        raise SettingError("the network has low-rank adapters already; merge them first")
    layers = _layers(module, places)
    if not layers:
        raise SettingError(
            f"low-rank adapters: a {type(module).__name__} has no layer at {list(places)}; "
            "choose among attention, feed-forward and convolution"
        )
    module.requires_grad_(False)  # noqa: FBT003 - torch's own signature
    for layer in layers:
        addition = LowRank(layer.weight, rank=rank, alpha=rank if alpha is None else alpha)
        parametrize.register_parametrization(layer, "weight", addition)


@torch.no_grad()
def merged(module: nn.Module) -> dict[str, Tensor]:
    """The module's state with all additions merged, under the names it had before `adapt`."""
    state = module.state_dict()
    for name, layer in _adapted(module):
        prefix = f"{name}." if name else ""
        for key in [key for key in state if key.startswith(f"{prefix}parametrizations.weight.")]:
            del state[key]
        state[f"{prefix}weight"] = layer.weight.detach()
    return state


def merge(module: nn.Module) -> None:
    """Merge all additions for good: an ordinary, frozen network remains."""
    for _, layer in list(_adapted(module)):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
    module.requires_grad_(False)  # noqa: FBT003


def _adapted(module: nn.Module) -> Iterator[tuple[str, nn.Linear | nn.Conv2d]]:
    for name, layer in module.named_modules():
        additions = getattr(layer, "parametrizations", {})
        if "weight" in additions and isinstance(additions["weight"][0], LowRank):
            yield name, layer  # pyright: ignore[reportReturnType] - nothing else is adapted


def _layers(module: nn.Module, places: tuple[Place, ...]) -> list[nn.Linear | nn.Conv2d]:
    parts = {"attention": Attention, "feed-forward": FeedForward}
    owners = tuple(parts[place] for place in places if place in parts)
    inside = {
        layer for part in module.modules() if isinstance(part, owners) for layer in part.modules()
    }
    return [
        layer
        for layer in module.modules()
        if (isinstance(layer, nn.Linear) and layer in inside)
        or (isinstance(layer, nn.Conv2d) and "convolution" in places)
    ]
