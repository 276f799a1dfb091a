"""The whole way on one page: read -> fit -> network -> geometry, back on the input's own grid."""

import warnings
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from monostep import inference as choices
from monostep import results
from monostep._version import __version__
from monostep.checkpoints import opening
from monostep.checkpoints.card import Card
from monostep.checkpoints.opening import Checkpoint
from monostep.device import choose_device, choose_dtype
from monostep.diffusion import noise
from monostep.diffusion.latent_diffusion import LatentDiffusion, channels_last
from monostep.diffusion.sampler import Sampler
from monostep.errors import CheckpointError, InputError, MonostepWarning
from monostep.images.fit import Placement
from monostep.inference import Inference
from monostep.pictures import as_tensor
from monostep.results import FITS, Result

Image: TypeAlias = Any  # path, PIL image, numpy array or torch tensor
AT_ONCE = {"cuda": 4}  # what goes through the network together, by device; else one


class Predictor:
    """A loaded model: called with an image it returns depth or normals of every pixel."""

    def __init__(
        self, network: LatentDiffusion, card: Card, *, device: torch.device, dtype: torch.dtype
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
        seed: int | None = None,
        last: str | None = None,
        merge: str | None = None,
    ) -> Any:
        """Depth or normals of an image; of a list or a batch [B, 3, H, W], a list in its order.

        None is what the model's card recommends. The results of an image depend on nothing but the
        image and these settings, not on its batch mates or its place among them.

        Args:
            image: path, PIL image, numpy [H, W], [H, W, 3] or [H, W, 4] (uint8, uint16 or float in
                [0, 1]), torch [3, H, W] or [B, 3, H, W] (uint8 or float in [0, 1]).
            resolution: long side at which the network looks, in pixels; 0 is the image's own size.
            fit: "pad", resize in float and pad to the network's size multiple; "reference", as the
                paper's code does: resize in 8 bits, let the network drop what is above a multiple
                of 8 and stretch the rest; depth by its own minimum and maximum.
            steps: of denoising.
            ensemble: how many predictions from different noise become one.
            spacing: "trailing", "leading" (the flaw), "linspace"; "lcm" for consistency models.
            noise: where the way starts: "zeros", "gaussian", "pyramid", "pyramid-geowizard".
            seed: of each image's noise; 0 if there is none.
            last: what the last step returns: "clean" (E2E-FT) or the "previous" sample (diffusers).
            merge: how an ensemble becomes one: depth "pairwise" (diffusers) or "joint" (Marigold
                v1.0, E2E-FT); normals "closest", "mean" (diffusers) or "closest-map" (E2E-FT).

        Raises:
            InputError: an image that cannot be read.
            SettingError: a setting that this model does not have.
        """
        inference = self.inference(
            resolution=resolution,
            fit=fit,
            steps=steps,
            ensemble=ensemble,
            spacing=spacing,
            noise=noise,
            seed=seed,
            last=last,
            merge=merge,
        )
        for line in self.cautions(inference):
            warnings.warn(line, MonostepWarning, stacklevel=2)
        several = isinstance(image, Sequence) and not isinstance(image, str | bytes)
        several = several or (isinstance(image, Tensor) and image.ndim == 4)
        pictures = [as_tensor(one) for one in image] if several else [as_tensor(image)]
        predicted = self.predict(pictures, inference)
        return predicted if several else predicted[0]

    def inference(self, **asked: Any) -> Inference:
        """All settings, what was asked (None: not asked) before what the card recommends.

        Raises:
            SettingError: a setting that this model does not have.
        """
        inference = choices.resolve(self.card, **asked)
        self.sampler(inference)
        return inference

    def sampler(self, inference: Inference) -> Sampler:
        """The way from noise to clean that these settings mean."""
        sees_noise = self.network.sees_noise
        return choices.sampler(self.network.schedule, inference, sees_noise=sees_noise)

    def cautions(self, inference: Inference) -> list[str]:
        """What makes results worse than they need be, and the cure: a line each."""
        return choices.cautions(self.card, self.sampler(inference), inference)

    def padded(self, size: tuple[int, int], inference: Inference) -> tuple[int, int]:
        """What the network sees of an image of this (height, width): equals can share a batch."""
        return self._place(size, inference).padded

    def predict(
        self, pictures: Sequence[Tensor], inference: Inference, *, at_once: int = 0
    ) -> list[Result]:
        """Results of pictures [3, H, W] in [0, 1], in their order.

        Args:
            pictures: float; those of equal padded size go through the network together.
            inference: from `self.inference`.
            at_once: images in one pass; 0: by the device. Members of ensembles go one by one.
        """
        at_once = at_once or AT_ONCE.get(self.device.type, 1)
        if inference.ensemble > 1:
            # Merging amplifies the last bit, which depends on the batch: see decision 0004.
            at_once = 1
        groups: dict[tuple[int, int], list[int]] = {}
        for index, picture in enumerate(pictures):
            groups.setdefault(self.padded(_size(picture), inference), []).append(index)
        done: dict[int, Result] = {}
        for group in groups.values():
            for start in range(0, len(group), at_once):
                together = group[start : start + at_once]
                batch = self._together([pictures[index] for index in together], inference)
                done.update(zip(together, batch, strict=True))
        return [done[index] for index in range(len(pictures))]

    def trajectory(self, picture: Tensor, inference: Inference) -> list[tuple[int, Result]]:
        """What would be the result of a picture [3, H, W] in [0, 1] after each step: decoded z_0.

        Returned with each step's timestep; only one member of an ensemble is followed.
        """
        alone = replace(inference, ensemble=1)
        place = self._place(_size(picture), alone)
        with torch.inference_mode(), self._precision():
            image = FITS[alone.fit].fit(picture, place)[None].to(self.device)
            latent = self.network.encode(image.contiguous(memory_format=torch.channels_last))
            draws = self._noise(latent, alone)[:, :1]
            output = partial(self.network.output, latent)
            steps = [
                (step.time, self._finite(self.network.decode(step.clean)))
                for step in self.sampler(alone).way(output, draws)
            ]
        return [(time, self._result(decoded, place, alone)) for time, decoded in steps]

    def _together(self, pictures: Sequence[Tensor], inference: Inference) -> list[Result]:
        """Results of pictures of equal padded size, in one batch."""
        places = [self._place(_size(picture), inference) for picture in pictures]
        fitted = [
            FITS[inference.fit].fit(picture, place)
            for picture, place in zip(pictures, places, strict=True)
        ]
        decoded = self._decoded(torch.stack(fitted), inference)
        return [
            self._result(maps, place, inference)
            for maps, place in zip(decoded, places, strict=True)
        ]

    @torch.inference_mode()
    def _decoded(
        self, batch: Float[Tensor, "batch 3 height width"], inference: Inference
    ) -> Float[Tensor, "batch member 3 decoded_height decoded_width"]:
        """The network's maps of fitted pictures, one pass for each member of the ensemble."""
        sampler = self.sampler(inference)
        with self._precision():
            image = batch.to(self.device, memory_format=torch.channels_last)
            latent = self.network.encode(image)
            output = partial(self.network.output, latent)
            members = [
                self.network.decode(sampler.end(output, draws.repeat(1, len(batch), 1, 1, 1)))
                for draws in self._noise(latent, inference).split(1, dim=1)
            ]
        return self._finite(torch.stack(members, dim=1))

    def _noise(
        self, latent: Float[Tensor, "batch channel height width"], inference: Inference
    ) -> Float[Tensor, "draw member channel height width"]:
        """The draws of one image, which depend on its size and the seed alone."""
        size, members = (latent.shape[1], latent.shape[2], latent.shape[3]), inference.ensemble
        generator = torch.Generator().manual_seed(inference.seed)
        sampler = self.sampler(inference)
        level = sampler.times[0] / len(sampler.schedule.alpha_bar)
        first = noise.draw(
            inference.noise, size=size, members=members, generator=generator, level=level
        )
        # Fresh noise for one member's whole way, then for the next one's, as diffusers draws it.
        fresh = noise.draw_each(sampler.draws - 1, size=size, members=members, generator=generator)
        return torch.cat([first[None], fresh]).to(self.device)

    def _precision(self) -> torch.autocast:
        reduced = self.dtype != torch.float32
        return torch.autocast(self.device.type, self.dtype, enabled=reduced)

    def _finite(self, decoded: Tensor) -> Tensor:
        if torch.isfinite(decoded).all():
            return decoded
        if self.dtype != torch.float32:
            raise InputError("the network's output is not finite; try dtype fp32")
        raise CheckpointError(
            f"{self.card.name}: the network's output is not finite, so its weights are damaged; "
            "download or train it again"
        )

    def _place(self, size: tuple[int, int], inference: Inference) -> Placement:
        return FITS[inference.fit].place(
            size, resolution=inference.resolution, multiple=self.network.multiple
        )

    def _result(
        self, decoded: Float[Tensor, "member 3 height width"], place: Placement, how: Inference
    ) -> Result:
        provenance = {
            "monostep": __version__,
            "model": self.card.name,
            "weights_sha256": self.card.tensor_hash,
            "source": dict(self.card.source),
            "grade": self.card.grade,
            "dtype": str(self.dtype).removeprefix("torch."),
            "prompt_tokens": len(self.network.prompt),
            **asdict(how),
        }
        return results.result(decoded, place, self.card, how, provenance)


def _size(picture: Float[Tensor, "3 height width"]) -> tuple[int, int]:
    return picture.shape[1], picture.shape[2]


def load(  # noqa: PLR0913 - the published contract
    source: str | Path,
    *,
    task: str | None = None,
    frame: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    variant: str | None = None,
    offline: bool | None = None,
    prompt_tokens: int | None = None,
) -> Predictor:
    """The predictor of a checkpoint of the Marigold family.

    Args:
        source: "nano-depth" and others of `monostep models`, a folder in the layout of diffusers,
            or a Hub id.
        task: "depth" or "normals", for a checkpoint that does not say.
        frame: of its normals, "opencv", "opengl", "directx" or "dsine", likewise.
        device: "auto" (CUDA if there is one, else the CPU) or a torch device.
        dtype: "fp32", "bf16", "fp16", or "auto" for fp32.
        revision: branch, tag or commit of a Hub id.
        variant: of the weight files, such as "fp16".
        offline: True: only what is on this machine; None: what HF_HUB_OFFLINE says.
        prompt_tokens: length of the empty prompt: 2, or 77 as the E2E-FT models were trained.

    Raises:
        CheckpointError: the model is missing, partial, corrupt or ambiguous.
        SettingError: an unknown device, dtype or setting, or one that contradicts the checkpoint.
        MissingExtraError: the text encoder needs an extra package.
    """
    choose_device(device)  # a mistake shows before minutes of download
    choose_dtype(dtype)
    found = opening.find(
        source,
        task=task,
        frame=frame,
        revision=revision,
        variant=variant,
        offline=offline,
        prompt_tokens=prompt_tokens,
    )
    return open_checkpoint(found, device=device, dtype=dtype)


def open_checkpoint(found: Checkpoint, *, device: str = "auto", dtype: str = "auto") -> Predictor:
    """The predictor of a checkpoint that was found; arguments and errors as for `load`."""
    place, kind = choose_device(device), choose_dtype(dtype)
    return Predictor(opening.load(found), found.card, device=place, dtype=kind)
