"""A deeper network that says the same: what to go on training where a model has stopped to improve.

    python -m scripts.deepen runs/rooms-depth/model -o runs/deeper --layers 3
    monostep train nano-depth -o runs/deep-depth --set start=runs/deeper

Each resolution of the UNet gets more residual blocks and transformers, whose last layer is zero.
Source: Net2DeeperNet (Chen et al., ICLR 2016).
"""

import argparse
import dataclasses
from pathlib import Path

import torch
from torch import nn

from monostep.checkpoints import folder
from monostep.network.attention import SpatialTransformer
from monostep.network.blocks import ResidualBlock
from monostep.network.unet import DownStage, Stage, UNet, UpStage


@torch.no_grad()
def deepened(unet: UNet, layers: int) -> UNet:
    """The same function with `layers` residual blocks per resolution, of which it had fewer."""
    if layers <= unet.config.layers:
        raise SystemExit(f"--layers {layers}: the UNet has {unet.config.layers}; ask for more")
    deep = UNet(dataclasses.replace(unet.config, layers=layers))
    for name, part in unet.named_children():
        if name not in ("down_blocks", "up_blocks"):
            getattr(deep, name).load_state_dict(part.state_dict())
    # New blocks down hand on the last old one's map, so that the first up finds what it had.
    more, down, up = layers - unet.config.layers, unet.config.layers, 1
    for name, first in (("down_blocks", down), ("up_blocks", up)):
        for before, after in zip(getattr(unet, name), getattr(deep, name), strict=True):
            _grow(before, after, new=range(first, first + more))
    return deep


def _grow(before: DownStage | UpStage, after: DownStage | UpStage, *, new: range) -> None:
    kept = [index for index in range(len(after.resnets)) if index not in new]
    for old, index in enumerate(kept):
        for one, other in zip(_layer(before, old), _layer(after, index), strict=True):
            other.load_state_dict(one.state_dict())
    for index in new:
        for part in _layer(after, index):
            _silence(part)
    for name in ("downsamplers", "upsamplers"):
        if getattr(before, name, None) is not None:
            getattr(after, name).load_state_dict(getattr(before, name).state_dict())


def _layer(stage: Stage, index: int) -> list[nn.Module]:
    return [stage.resnets[index], *([stage.attentions[index]] if stage.has_attention else [])]


def _silence(part: nn.Module) -> None:
    """Let a new part hand on the features: of two maps side by side, the first."""
    if isinstance(part, SpatialTransformer):
        nn.init.zeros_(part.proj_out.weight)
        nn.init.zeros_(part.proj_out.bias)
        return
    assert isinstance(part, ResidualBlock)
    nn.init.zeros_(part.conv2.weight)
    nn.init.zeros_(part.conv2.bias)
    if part.conv_shortcut is not None:
        nn.init.dirac_(part.conv_shortcut.weight)
        nn.init.zeros_(part.conv_shortcut.bias)


def main() -> None:
    """Read, deepen, write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("model", type=Path)
    asked.add_argument("-o", "--output", type=Path, required=True)
    asked.add_argument("--layers", type=int, default=3)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    if given.output.exists():
        asked.error(f"{given.output} is there already; choose another folder")
    torch.manual_seed(given.seed)
    model, card = folder.load(given.model)
    model.unet = deepened(model.unet, given.layers)
    told = {"start": card.name, "start_hash": card.tensor_hash, "layers": given.layers}
    source = {**told, "start_source": dict(card.source or {})}
    folder.save(model, dataclasses.replace(card, source=source, scores={}), given.output)


if __name__ == "__main__":
    main()
