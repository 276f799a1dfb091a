"""The whole way on one page: read -> fit -> network -> geometry, back on the input's own grid."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from monostep._version import __version__
from monostep.checkpoints import embedded, folder
from monostep.checkpoints.card import Card
from monostep.diffusion.one_step import OneStep, channels_last
from monostep.errors import InputError, SettingError
from monostep.files import photo
from monostep.geometry import decode, frames
from monostep.geometry.depth import Depth
from monostep.geometry.normals import Normals
from monostep.images import fit as fitting
from monostep.images.fit import Placement

Image: TypeAlias = Any  # path, PIL image, numpy array or torch tensor
Result: TypeAlias = Depth | Normals
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Predictor:
    """A loaded model: called with an image it returns depth or normals of every pixel."""

    def __init__(
        self, network: OneStep, card: Card, *, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.network = channels_last(network.to(device))
        self.card = card
        self.device = device
        self.dtype = dtype

    def __call__(  # noqa: PLR0913 - the published contract
        self,
        image: Image | Sequence[Image],
        *,
        resolution: int | None = None,
        fit: str = "pad",
        steps: int | None = None,
        ensemble: int | None = None,
        spacing: str | None = None,
        noise: str | None = None,
        seed: int | None = None,  # noqa: ARG002 - one step from zeros has nothing random to seed
    ) -> Any:
        """Depth or normals of an image; of a list or a batch [B, 3, H, W], a list in its order.

        Args:
            image: path, PIL image, numpy [H, W], [H, W, 3] or [H, W, 4] (uint8, uint16 or float in
                [0, 1]), torch [3, H, W] or [B, 3, H, W] (uint8 or float in [0, 1]).
            resolution: long side at which the network looks, in pixels; 0 is the image's own size;
                None is what the model's card recommends.
            fit: "pad", resize and pad to the network's size multiple.
            steps: 1, for these models.
            ensemble: 1, for these models.
            spacing: "trailing", for these models.
            noise: "zeros", for these models.
            seed: of the noise; these models use none.

        Raises:
            InputError: an image that cannot be read.
            SettingError: a setting that this model does not have.
        """
        self.check(fit=fit, steps=steps, ensemble=ensemble, spacing=spacing, noise=noise)
        resolution = self.card.resolution if resolution is None else resolution
        if resolution < 0:
            raise SettingError(
                f"resolution {resolution}: expected 0 (native) or a long side in pixels"
            )
        several = isinstance(image, Sequence) and not isinstance(image, str | bytes)
        several = several or (isinstance(image, Tensor) and image.ndim == 4)
        pictures = [as_tensor(one) for one in image] if several else [as_tensor(image)]
        results = self.predict(pictures, resolution=resolution)
        return results if several else results[0]

    def predict(self, pictures: Sequence[Tensor], *, resolution: int) -> list[Result]:
        """Results of pictures [3, H, W] in [0, 1]; those of equal padded size share a batch."""
        groups: dict[tuple[int, int], list[tuple[int, Placement]]] = {}
        for index, picture in enumerate(pictures):
            size = (picture.shape[1], picture.shape[2])
            placement = fitting.place(size, resolution=resolution, multiple=self.network.multiple)
            groups.setdefault(placement.padded, []).append((index, placement))
        results: dict[int, Result] = {}
        for members in groups.values():
            batch = torch.stack([fitting.fit(pictures[index], place) for index, place in members])
            for (index, placement), output in zip(members, self._network(batch), strict=True):
                results[index] = self._result(output, placement, resolution)
        return [results[index] for index in range(len(pictures))]

    @torch.inference_mode()
    def _network(
        self, batch: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch channel height width"]:
        """Depth in [0, 1] as one channel, or normals, of fitted pictures."""
        image = (batch * 2 - 1).to(self.device, memory_format=torch.channels_last)
        reduced = self.dtype != torch.float32
        with torch.autocast(self.device.type, self.dtype, enabled=reduced):
            decoded = self.network(image)
        if not torch.isfinite(decoded).all():
            raise InputError("the network's output is not finite; try dtype fp32")
        if self.card.task == "depth":
            return (decode.depth(decoded)[:, None] + 1) / 2
        return decode.normals(decoded)

    def _result(
        self, output: Float[Tensor, "channel height width"], placement: Placement, resolution: int
    ) -> Result:
        values = fitting.restore(output, placement)
        provenance = {
            "monostep": __version__,
            "model": self.card.name,
            "weights_sha256": self.card.tensor_hash,
            "grade": self.card.grade,
            "resolution": resolution,
            "dtype": str(self.dtype).removeprefix("torch."),
        }
        if self.card.task == "depth":
            return Depth(
                tensor=values[0].clamp(0, 1),
                quantity=self.card.quantity,  # pyright: ignore[reportArgumentType]
                invariance=self.card.invariance,  # pyright: ignore[reportArgumentType]
                provenance=provenance,
            )
        frame = frames.check(str(self.card.frame))
        unit = decode.unit(frames.convert(values, source=frame, target="opencv")[None])[0]
        return Normals(tensor=unit, frame="opencv", provenance=provenance)

    def check(self, **asked: Any) -> None:
        """Raise SettingError for a setting (None: not asked) that this model does not have."""
        has = {
            "fit": "pad",
            "steps": self.card.steps,
            "ensemble": self.card.ensemble,
            "spacing": self.card.spacing,
            "noise": self.card.noise,
        }
        for name, value in asked.items():
            if value is not None and value != has[name]:
                raise SettingError(
                    f"{name} {value!r}: {self.card.name} runs with {name} {has[name]!r} only"
                )


def as_tensor(image: Image) -> Float[Tensor, "3 height width"]:
    """Any accepted image as float32 RGB in [0, 1]; InputError for anything else."""
    if isinstance(image, Tensor):
        return _checked(image)
    if isinstance(image, str):
        image = Path(image)
    pixels = photo.read(image).pixels
    top = {np.uint8: 255, np.uint16: 65535}.get(pixels.dtype.type, 1)
    values = torch.from_numpy(pixels.astype(np.float32))
    return (values / top).permute(2, 0, 1)


def _checked(image: Tensor) -> Float[Tensor, "3 height width"]:
    if image.ndim != 3 or image.shape[0] != 3 or 0 in image.shape:
        raise InputError(
            f"tensor of shape {tuple(image.shape)}: expected [3, H, W] or [B, 3, H, W]"
        )
    if image.dtype == torch.uint8:
        return image.float() / 255
    if not image.dtype.is_floating_point:
        raise InputError(f"tensor of {image.dtype}: expected uint8 or floating point in [0, 1]")
    image = image.float()
    if not bool(((image >= 0) & (image <= 1)).all()):  # false for NaN too
        raise InputError(
            f"tensor values from {image.min().item():.4g} to {image.max().item():.4g}: "
            "expected [0, 1]; divide by the largest value of the format"
        )
    return image


def load(source: str | Path, *, device: str = "auto", dtype: str = "auto") -> Predictor:
    """The predictor of an embedded model's name or of a model folder.

    Args:
        source: "nano-depth", "nano-normals", or a folder as `monostep train` writes it.
        device: "auto" (CUDA if there is one, else the CPU) or a torch device.
        dtype: "fp32", "bf16", "fp16", or "auto" for fp32.

    Raises:
        CheckpointError: the model is missing, partial or corrupt.
        SettingError: an unknown device or dtype.
    """
    place = embedded.locate(source)
    network, card = folder.load(place, verify=place.parent == embedded.ROOT)
    return Predictor(network, card, device=choose_device(device), dtype=_dtype(dtype))


def choose_device(name: str) -> torch.device:
    """The device of a name, "auto" for the best there is; SettingError if it cannot be used."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise SettingError(f"device {name!r} cannot be used: {reason}") from error
    return device


def _dtype(name: str) -> torch.dtype:
    if name == "auto":
        return torch.float32
    if name not in DTYPES:
        raise SettingError(f"dtype {name!r}: choose auto, {', '.join(DTYPES)}")
    return DTYPES[name]
