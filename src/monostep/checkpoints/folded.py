"""The feed-forward form as one safetensors file: weights, and in its metadata the card.

The key `monostep` holds JSON: the card's entries, and beside them what the network is made of.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_args

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from monostep.checkpoints import asking, dimensions, image_encoder_config, scheduler, weights
from monostep.checkpoints.card import Card, tensor_hash
from monostep.diffusion.sampler import Last
from monostep.diffusion.schedule import Schedule
from monostep.errors import CheckpointError
from monostep.feedforward.joint import feed_forward
from monostep.feedforward.layers import Weighted
from monostep.feedforward.network import Dimensions, FeedForward, cast
from monostep.network.image_encoder import ImageEncoderConfig
from monostep.network.unet import UNetConfig

ENDING = ".safetensors"
KEY = "monostep"
LARGE = 1 << 20  # bytes of a weight that is worth leaving in its file
NETWORK = "network"  # entries of the JSON beside the card's
SCALE = "scale"  # of weights in 8 bits
IMAGE_ENCODER = "image_encoder"  # entry of the network, where there is one, and its part's name


def save(network: FeedForward, card: Card, path: Path) -> Card:
    """Write the network with its card, which gets the hash of the tensors; atomic.

    Raises:
        OutputError: the file cannot be written.
    """
    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()
    }
    hashed = dataclasses.replace(card, tensor_hash=tensor_hash(tensors))
    said = {**hashed.as_dict(), NETWORK: _network_to_json(network, card)}
    weights.write(path, tensors, {KEY: json.dumps(said)})
    return hashed


def read_card(path: Path) -> Card:
    """The card of a folded file; CheckpointError if it has none."""
    said = _said(path)
    try:
        return Card.from_dict({name: value for name, value in said.items() if name != NETWORK})
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def load(
    path: Path,
    *,
    dtype: torch.dtype | None = None,
    leave: int = 0,
    attention: str | None = None,
) -> FeedForward:
    """The network of a folded file, on the CPU.

    Args:
        path: the file. Weights in the asked precision stay in it until they are used.
        dtype: of the weights, but for the decoder's last layer in float32; None: as stored.
        leave: so many bytes of weights in that precision in the file for good, read at every use.
        attention: of depth and normals, "joint" or "separate"; None: what the card says.

    Raises:
        CheckpointError: the file is broken, or not a folded model.
        SettingError: attention asked of a model that does not predict both.
    """
    said = describe(path, attention=attention)
    with torch.device("meta"):
        network = feed_forward(said.dimensions, schedule=said.schedule, times=said.times)
    _fill(network, path)
    cast(network.eval(), dtype or network.dtype)
    _leave(network, path, leave)
    return network


def check_hash(path: Path, card: Card) -> None:
    """Raise CheckpointError unless the file's tensors are the ones its card was written for."""
    if tensor_hash(weights.read(path)) != card.tensor_hash:
        raise CheckpointError(f"{path}: the weights do not match the card's hash; fold it again")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Described:
    """What a folded file says its network is."""

    dimensions: Dimensions
    schedule: Schedule
    times: tuple[int, ...]


def describe(path: Path, *, attention: str | None = None) -> Described:
    """The network of a folded file, from its card alone.

    Raises:
        CheckpointError: the card does not say it.
        SettingError: attention asked of a model that does not predict depth and normals together.
    """
    card, said = asking.attending(read_card(path), attention), _said(path)[NETWORK]
    try:
        ends = said["ends"]
        if ends not in (None, *get_args(Last)):
            raise ValueError(f"ends {ends!r}")
        shape = Dimensions(
            unet=_unet(said["unet"], joint=card.attention == "joint"),
            autoencoder=dimensions.autoencoder_from_json(said["autoencoder"]),
            tokens=int(said["prompt_tokens"]),
            channels=1 if card.task == "depth" else 3,
            sees_noise=bool(said["sees_noise"]),
            ends=ends,
            image_encoder=_image_encoder(said.get(IMAGE_ENCODER)),
        )
        if (shape.unet.classes is not None) != (card.task == "geometry"):
            raise ValueError(f"task {card.task}, UNet classes {shape.unet.classes}")
        times = tuple(int(time) for time in said["times"])
        return Described(
            dimensions=shape, schedule=scheduler.from_json(said["schedule"]), times=times
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{path}: its card does not describe the network ({error!r}); fold the model again"
        ) from error


def _unet(said: dict[str, Any], *, joint: bool) -> UNetConfig:
    """Its dimensions, where those of its weights do not say how it attends."""
    return dataclasses.replace(dimensions.unet_from_json(said), joint=joint)


def _image_encoder(said: Mapping[str, Any] | None) -> ImageEncoderConfig | None:
    if said is None:
        return None
    return image_encoder_config.from_json(said["config"], said["preprocessor"])


def _fill(network: FeedForward, path: Path) -> None:
    found = {
        name: tensor.clone() if tensor.ndim < 2 else tensor
        for name, tensor in weights.stream(path, copy=False)
    }
    for name, layer in network.named_modules():
        if isinstance(layer, Weighted) and f"{name}.{SCALE}" in found:
            assert layer.weight is not None
            scale = layer.weight.detach().new_empty(layer.scale_shape)
            layer.store(torch.empty_like(layer.weight, dtype=torch.int8), scale)
    expected = network.state_dict()
    for name in sorted(expected.keys() | found.keys()):
        if name not in found or name not in expected:
            where = "missing" if name not in found else "unknown"
            raise CheckpointError(f"{path}: the weight {name} is {where}; fold the model again")
        if _kind(found[name]) != _kind(expected[name]):
            raise CheckpointError(
                f"{path}: {name} is {_kind(found[name])}, expected {_kind(expected[name])}; fold "
                "the model again"
            )
    network.load_state_dict(found, strict=True, assign=True)


def _leave(network: FeedForward, path: Path, count: int) -> None:
    """Let go of large weights that are in the file as they are needed, `count` bytes or all.

    Those of encoder and decoder first: the CPU's kernels gain the least from having them sorted.
    """
    layers = [
        (f"{part}.{name}.weight", layer)
        for part in ("encoder", "decoder", IMAGE_ENCODER, "unet")
        for name, layer in _modules(network, part)
        if isinstance(layer, Weighted)
    ]
    left, written = 0, path.stat().st_mtime_ns
    for name, layer in layers:
        if left >= count or layer.weight is None:
            return
        read = partial(_read, path.resolve(), name, written)
        if layer.weight.nbytes >= LARGE and read().dtype == layer.weight.dtype:
            left += layer.weight.nbytes
            layer.leave_in_file(read)


def _modules(network: FeedForward, part: str) -> Iterable[tuple[str, nn.Module]]:
    """All modules of a part; of one that is not there, none."""
    module = getattr(network, part, None)
    return () if module is None else module.named_modules()


def _read(path: Path, name: str, written: int) -> Tensor:
    """A weight of a file that must still be the one that was loaded."""
    if not path.is_file() or path.stat().st_mtime_ns != written:
        raise CheckpointError(f"{path}: was changed or removed while in use; load it again")
    return weights.one(path, name)


def _kind(tensor: Tensor) -> str:
    """What two tensors for the same place have in common."""
    numbers = "real" if tensor.is_floating_point() else str(tensor.dtype).removeprefix("torch.")
    return f"{numbers} of shape {tuple(tensor.shape)}"


def _network_to_json(network: FeedForward, card: Card) -> dict[str, Any]:
    shape = network.dimensions
    of = shape.image_encoder
    looks = {} if of is None else {IMAGE_ENCODER: _image_encoder_to_json(of)}
    return {
        "multiple": network.multiple,
        "unet": dimensions.unet_to_json(shape.unet),
        "autoencoder": dimensions.autoencoder_to_json(shape.autoencoder),
        "schedule": scheduler.to_json(network.original_schedule, card.spacing),
        "times": list(network.times),
        "ends": shape.ends,
        "sees_noise": shape.sees_noise,
        "prompt_tokens": shape.tokens,
        **looks,
    }


def _image_encoder_to_json(config: ImageEncoderConfig) -> dict[str, Any]:
    """As in the two files of a checkpoint's folder."""
    return {
        "config": image_encoder_config.to_json(config),
        "preprocessor": image_encoder_config.preprocessor_to_json(config),
    }


def _said(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        said = json.loads(metadata[KEY])
        said[NETWORK]["times"]
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path}: not a whole safetensors file ({error}); copy or fold it again"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: no folded model: its metadata have no {KEY!r} with a network; give a file "
            "of `monostep fold`, or the folder of a checkpoint"
        ) from error
    return said
