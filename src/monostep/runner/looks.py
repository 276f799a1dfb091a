"""Four looks at one picture: as it is and mirrored, at the model's resolution and a smaller one.

The maps come back on the picture's own grid and in its own orientation, so that they differ only
where the model does not treat equal scenes equally.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from monostep.errors import InputError
from monostep.geometry.normals import Normals
from monostep.inference import Inference
from monostep.predictor import Predictor
from monostep.results import MapResult
from monostep.runner.batch import Models
from monostep.runner.outputs import Picture
from monostep.runner.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Looker:
    """A model that looks at a picture four times, for depth or for normals."""

    predictor: Predictor
    inference: Inference
    plan: Plan  # of its files
    scale: float  # of the smaller resolution, against the model's own

    @property
    def task(self) -> str:
        """What it looks for."""
        (task,) = self.plan.made_by
        return task

    def look(self, picture: Picture) -> Float[Tensor, "4 *map"]:
        """Four maps of one picture, as shown and mirrored, large and then small.

        Depth is [4, H, W]; normals are [4, 3, H, W], in the OpenCV frame.

        Raises:
            InputError: the picture has no room in memory, or the model no finite answer.
        """
        pair = (picture, _mirrored(picture))
        maps = []
        for inference in (self.inference, self._smaller(picture)):
            models = Models(
                {self.task: self.predictor},
                replace(self.plan, inferences={self.task: inference}),
                say=lambda _: None,
            )
            for turned, told in zip((False, True), models.predict(pair), strict=True):
                if isinstance(told, InputError):
                    raise told
                maps.append(_as_shown(told.results[self.task], mirrored=turned))
        return torch.stack(maps)

    def _smaller(self, picture: Picture) -> Inference:
        """The same at a smaller resolution; 0, the picture's own, is a number for each."""
        own = max(picture.input.height, picture.input.width)
        resolution = round(self.scale * (self.inference.resolution or own))
        return replace(self.inference, resolution=max(1, resolution))


def _mirrored(picture: Picture) -> Picture:
    pixels = picture.photo.pixels[:, ::-1].copy()
    return replace(picture, photo=replace(picture.photo, pixels=pixels))


def _as_shown(result: MapResult, *, mirrored: bool) -> Shaped[Tensor, "*map"]:
    """The map of the picture itself; a mirror turns the x axis of normals round."""
    if isinstance(result, Normals):
        sign = -1 if mirrored else 1
        values = result.to("opencv").tensor * torch.tensor([sign, 1, 1])[:, None, None]
    else:
        values = result.tensor
    return values.flip(-1) if mirrored else values
