"""A model's maps of many scenes at once: what `Predictor` gives, with full batches.

Small latents leave most of a processor idle: the miniature's UNet makes three times as many calls
of 100 latents a second as of one. So the members of ensembles go together, as do the scenes, and
the latents of the images are computed once for all ways of a model.

    z_x = encode(image)                                            once
    z_0 = way(UNet([z_x, z_t], t), noise)                          100 rows at a time
    map = result(decode(z_0))                                      the library's own: merge, restore
"""

import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from monostep import inference as choices
from monostep import results
from monostep.checkpoints import opening
from monostep.checkpoints.card import Card
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.sampler import Output
from monostep.errors import CheckpointError, MonostepWarning, SettingError
from monostep.geometry.domain import DOMAINS
from monostep.images.fit import Placement
from monostep.inference import Inference
from monostep.pictures import as_squares
from monostep.reproduction.scenes import Scenes
from monostep.reproduction.trials import Way
from monostep.results import Result

CELLS = 32_000  # of latents that go through the UNet together: 100 of 16 x 20
Decoded = Float[Tensor, "map scene member channel height width"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A model in front of the scenes, whose images it has encoded.

    Everything that it returns raises CheckpointError where the network's output is not finite.
    """

    model: LatentDiffusion
    card: Card
    scenes: Scenes
    place: Placement  # of every image in what the network sees
    latents: Float[Tensor, "scene channel height width"]
    context: Tensor | None  # what a joint model reads of each image
    domain: Int[Tensor, " scene"]

    def inference(self, way: Way) -> Inference:
        """All settings of a way, what it does not say by the card.

        Raises:
            SettingError: one that this model does not have, or that changes what it looks at.
        """
        how, usual = choices.resolve(self.card, **way.asked), choices.resolve(self.card)
        if (how.resolution, how.fit) != (usual.resolution, usual.fit) or "domain" in way.asked:
            raise SettingError(
                f"way {way.name}: resolution, fit and domain are the same for all ways of a "
                "model; leave them out"
            )
        return how

    def results(self, how: Inference) -> Iterator[Result]:
        """The result of every scene, in their order."""
        for part in self._parts(how):
            (decoded,) = self._decoded(how, part)
            yield from self._results(decoded, how)

    def steps(self, how: Inference) -> Iterator[tuple[Result, ...]]:
        """Of every scene what would be the result after each step."""
        for part in self._parts(how):
            decoded = self._decoded(how, part, range(1, how.steps + 1))
            steps = [self._results(each, how) for each in decoded]
            yield from zip(*steps, strict=True)

    def members(self, how: Inference, chosen: Collection[int]) -> Iterator[list[list[Result]]]:
        """Of every scene, after the chosen steps from 1 on, each member's own result."""
        for part in self._parts(how):
            steps = [
                [self._results(one, how) for one in each.split(1, dim=2)]
                for each in self._decoded(how, part, chosen)
            ]
            for scene in range(len(steps[0][0])):
                yield [[member[scene] for member in step] for step in steps]

    def _parts(self, how: Inference) -> Iterator[slice]:
        """Scenes that go together."""
        rows = max(1, CELLS // (self.latents.shape[2] * self.latents.shape[3]))
        at_once = max(1, rows // (how.ensemble * len(self.card.maps)))
        for start in range(0, len(self.latents), at_once):
            yield slice(start, start + at_once)

    @torch.inference_mode()
    def _decoded(
        self, how: Inference, part: slice, chosen: Collection[int] | None = None
    ) -> list[Decoded]:
        """The decoder's maps of some scenes: after the chosen steps from 1 on, or at the end."""
        latents, maps = self.latents[part], len(self.card.maps)
        sampler = choices.sampler(self.model.schedule, how, sees_noise=self.model.sees_noise)
        size = (latents.shape[1], latents.shape[2], latents.shape[3])
        # Equal for all scenes, as each image's generator begins with the same seed.
        noise = choices.draws(how, sampler, size).repeat(1, maps * len(latents), 1, 1, 1)
        output = self._output(part, how.ensemble)
        if chosen is None:
            ends = [sampler.end(output, noise)]
        else:
            steps = enumerate(sampler.way(output, noise), start=1)
            ends = [step.clean for number, step in steps if number in chosen]
        decoded = [self._finite(self.model.decode(end)) for end in ends]
        return [each.unflatten(0, (maps, len(latents), how.ensemble)) for each in decoded]

    def _finite(self, decoded: Tensor) -> Tensor:
        if torch.isfinite(decoded).all():
            return decoded
        raise CheckpointError(
            f"{self.card.name}: the network's output is not finite, so its weights are damaged; "
            "train it again"
        )

    def _output(self, part: slice, members: int) -> Output:
        """The UNet beside the latents of some scenes, each as often as it has members."""
        latents = self.latents[part].repeat_interleave(members, dim=0)
        if self.context is None or not isinstance(self.model, JointDiffusion):
            return partial(self.model.output, latents)
        context, domain = (
            each[part].repeat_interleave(members, dim=0) for each in (self.context, self.domain)
        )
        return partial(self.model.output, latents, context=context, domain=domain)

    def _results(self, decoded: Decoded, how: Inference) -> list[Result]:
        """The library's own results; a scene's maps are [map, member, channel, height, width]."""
        made_of = {"model": self.card.name, **how.as_dict()}
        return [
            results.result(maps, self.place, self.card, how, made_of)
            for maps in decoded.transpose(0, 1)
        ]


def opened(folder: Path, scenes: Scenes) -> Subject:
    """The model of a folder in front of the scenes, on the CPU in float32.

    Raises:
        CheckpointError: no such model, or a broken one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MonostepWarning)  # a base model is no predictor
        found = opening.find(folder)
    model = opening.load(found).eval()
    how = choices.resolve(found.card)
    fits = results.fits(found.card, how)
    images = [case.image for case in scenes.cases if case.image is not None]
    size = (images[0].shape[1], images[0].shape[2])
    place = fits.place(size, resolution=how.resolution, multiple=model.multiple)
    fitted = torch.stack([fits.fit(image, place) for image in images])
    domain = torch.tensor([DOMAINS.index(case.domain or "indoor") for case in scenes.cases])
    with torch.inference_mode():
        latents = torch.cat([model.encode(part) for part in fitted.split(50)])
        context = None
        if isinstance(model, JointDiffusion):
            squares = as_squares([fits.crop(image, place) for image in fitted], model.side)
            context = model.context(squares, domain)
    return Subject(
        model=model,
        card=found.card,
        scenes=scenes,
        place=place,
        latents=latents,
        context=context,
        domain=domain,
    )
