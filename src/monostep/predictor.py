"""The whole way on one page: read -> fit -> network -> geometry, back on the input's own grid."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from monostep import inference as choices
from monostep import results
from monostep.checkpoints.card import Card
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.latent_diffusion import LatentDiffusion, channels_last
from monostep.diffusion.sampler import Output, Sampler
from monostep.errors import CheckpointError, InputError, MonostepWarning
from monostep.feedforward import memory, stream
from monostep.feedforward.joint import JointFeedForward
from monostep.feedforward.network import FeedForward
from monostep.geometry.domain import DOMAINS
from monostep.images.fit import Placement
from monostep.inference import Inference
from monostep.pictures import as_squares, as_tensor
from monostep.results import Result

Image: TypeAlias = Any  # path, PIL image, numpy array or torch tensor
AT_ONCE = {"cuda": 4}  # what goes through the network together, by device; else one
STRIP = {"cpu": 8 << 20}  # bytes of a large map that are worked on together; else all of it


class Predictor:
    """A loaded model: called with an image it returns depth, normals or both of every pixel."""

    def __init__(
        self,
        network: FeedForward | LatentDiffusion,
        card: Card,
        *,
        device: torch.device,
        dtype: torch.dtype,
        max_memory: int | None = None,
    ) -> None:
        self.card = card
        self.max_memory = max_memory  # bytes; None: as much as there is
        self.device = device
        self.dtype = dtype
        if isinstance(network, FeedForward):
            network.stream(STRIP.get(device.type, stream.WHOLE))
        # On a CPU both stay as they are: weights of the folded form may lie in a file, and the
        # unfolded one is there to be compared with others, which go through images in planes.
        self.network = network if device.type == "cpu" else channels_last(network.to(device))
        planes = device.type == "cpu" and not isinstance(network, FeedForward)
        self._layout = torch.contiguous_format if planes else torch.channels_last

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
        domain: str | None = None,
    ) -> Any:
        """Depth, normals or both (`Geometry`) of an image; of several, a list in their order.

        None is what the model's card recommends. The results of an image depend on nothing but the
        image and these settings, not on its batch mates or its place among them.

        Args:
            image: path, PIL image, numpy [H, W], [H, W, 3] or [H, W, 4] (uint8, uint16 or float in
                [0, 1]), torch [3, H, W] or [B, 3, H, W] (uint8 or float in [0, 1]); or a list.
            resolution: long side at which the network looks, in pixels; 0 is the image's own size.
            fit: "pad", resize in float and pad to the network's size multiple; "reference", as the
                paper's code does: resize in 8 bits, let the network drop what is above a multiple
                of 8 and stretch the rest; depth by its own minimum and maximum. GeoWizard's code
                resizes images and depth with Pillow's bicubic, normals to OpenCV's nearest pixel.
            steps: of denoising.
            ensemble: how many predictions from different noise become one.
            spacing: "trailing", "leading" (the flaw), "linspace"; "lcm" for consistency models.
            noise: where the way starts: "zeros", "gaussian", "pyramid", "pyramid-geowizard".
            seed: of each image's noise; 0 if there is none.
            last: what the last step returns: "clean" (E2E-FT) or the "previous" sample (diffusers).
            merge: how an ensemble becomes one: depth "pairwise" (diffusers) or "joint" (Marigold
                v1.0, E2E-FT); normals "closest", "mean" (diffusers) or "closest-map" (E2E-FT); of
                a joint model one of them, or "DEPTH,NORMALS".
            domain: where it was taken, "indoor", "outdoor" or "object", for a joint model.

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
            domain=domain,
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
        network = self.network
        ends = network.dimensions.ends if isinstance(network, FeedForward) else None
        way = choices.sampler(network.schedule, inference, sees_noise=network.sees_noise, ends=ends)
        if isinstance(network, FeedForward):
            network.learn(way.times)
        return way

    def cautions(self, inference: Inference) -> list[str]:
        """What makes results worse than they need be, and the cure: a line each."""
        return choices.cautions(self.card, self.sampler(inference), inference)

    @property
    def weight_bytes(self) -> int:
        """Memory of the weights."""
        return memory.weight_bytes(self.network)

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
        fitted = results.fits(self.card, alone).fit(picture, place)[None]
        with torch.inference_mode(), self._precision():
            output, noise = self._start(fitted, [place], alone)
            draws = noise[:, :1].repeat(1, len(self.card.maps), 1, 1, 1)
            steps = [
                (step.time, self._finite(self.network.decode(step.clean)))
                for step in self.sampler(alone).way(output, draws)
            ]
        return [(time, self._result(decoded[:, None], place, alone)) for time, decoded in steps]

    def _together(self, pictures: Sequence[Tensor], inference: Inference) -> list[Result]:
        """Results of pictures of equal padded size, in one batch."""
        places = [self._place(_size(picture), inference) for picture in pictures]
        fit = results.fits(self.card, inference).fit
        fitted = [fit(picture, place) for picture, place in zip(pictures, places, strict=True)]
        decoded = self._decoded(torch.stack(fitted), places, inference)
        return [
            self._result(maps, place, inference)
            for maps, place in zip(decoded, places, strict=True)
        ]

    @torch.inference_mode()
    def _decoded(
        self,
        batch: Float[Tensor, "batch 3 height width"],
        places: Sequence[Placement],
        inference: Inference,
    ) -> Float[Tensor, "batch map member channel decoded_height decoded_width"]:
        """The network's maps of fitted pictures, one pass for each member of the ensemble."""
        sampler, rows = self.sampler(inference), len(self.card.maps) * len(batch)
        with self._precision():
            output, noise = self._start(batch, places, inference)
            members = [
                self.network.decode(sampler.end(output, draws.repeat(1, rows, 1, 1, 1)))
                for draws in noise.split(1, dim=1)
            ]
        decoded = self._finite(torch.stack(members, dim=1))
        return decoded.unflatten(0, (-1, len(batch))).transpose(0, 1)  # rows are depths first

    def _start(
        self,
        batch: Float[Tensor, "batch 3 height width"],
        places: Sequence[Placement],
        how: Inference,
    ) -> tuple[Output, Float[Tensor, "draw member channel latent_height latent_width"]]:
        """The network beside fitted pictures, at (z_t, t), and the noise of each one's members."""
        self._stay_within(batch)
        network = self.network
        image = batch.to(self.device, memory_format=self._layout)
        latent = network.encode(image)
        noise = self._noise(latent, how)
        if not isinstance(network, JointDiffusion | JointFeedForward):
            return partial(network.output, latent), noise
        crop = results.fits(self.card, how).crop
        shown = [crop(one, place) for one, place in zip(image, places, strict=True)]
        domain = torch.full((len(image),), DOMAINS.index(how.domain), device=self.device)
        context = network.context(as_squares(shown, network.side), domain)
        return partial(network.output, latent, context=context, domain=domain), noise

    def _noise(
        self, latent: Float[Tensor, "batch channel height width"], inference: Inference
    ) -> Float[Tensor, "draw member channel height width"]:
        """The draws of one image, which depend on its size and the seed alone."""
        size = (latent.shape[1], latent.shape[2], latent.shape[3])
        return choices.draws(inference, self.sampler(inference), size).to(self.device)

    def _stay_within(self, batch: Float[Tensor, "batch 3 height width"]) -> None:
        """Work on maps in strips small enough for `max_memory`; InputError if none are."""
        if self.max_memory is None or not isinstance(self.network, FeedForward):
            return
        size, most = (batch.shape[2], batch.shape[3]), STRIP.get(self.device.type, stream.WHOLE)
        strip = memory.strip_within(
            self.network, size, len(batch), limit=self.max_memory, most=most
        )
        self.network.stream(strip)

    def _precision(self) -> torch.autocast:
        """For the unfolded form; the folded one has its precision in its weights."""
        reduced = self.dtype != torch.float32 and not isinstance(self.network, FeedForward)
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
        return results.fits(self.card, inference).place(
            size, resolution=inference.resolution, multiple=self.network.multiple
        )

    def _result(
        self,
        decoded: Float[Tensor, "map member channel height width"],
        place: Placement,
        how: Inference,
    ) -> Result:
        tokens = self.network.prompt_tokens
        provenance = results.provenance(self.card, how, dtype=self.dtype, prompt_tokens=tokens)
        return results.result(decoded, place, self.card, how, provenance)


def _size(picture: Float[Tensor, "3 height width"]) -> tuple[int, int]:
    return picture.shape[1], picture.shape[2]
