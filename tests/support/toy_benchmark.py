"""A benchmark of noise in memory, with planted defects, and models that know its truth."""

from dataclasses import dataclass, field

import torch
from torch.nn import functional as F

from monostep.checkpoints.card import Card
from monostep.errors import InputError
from monostep.evaluation.case import Case
from monostep.evaluation.rules import DepthRules, Input, NormalsRules
from monostep.geometry.depth import Depth
from monostep.geometry.geometry import Geometry
from monostep.geometry.normals import Normals
from monostep.inference import resolve
from monostep.predictor import Predictor


@dataclass(kw_only=True)
class Toy:
    """Images with depth of 1 to 6 m and normals of all directions, four fifths of them valid."""

    images: int = 6
    size: tuple = (16, 24)
    pooled: bool = False
    boundaries: bool = False
    broken: tuple = ()  # images that cannot be read
    empty: tuple = ()  # images without a valid pixel
    tasks: tuple = ("depth", "normals")
    domain: str | None = None  # that models are told
    name: str = "toy"
    loaded: list = field(default_factory=list)

    @property
    def rules(self):
        way = {"protocol": "toy-1", "input": Input(domain=self.domain)}
        both = {
            "depth": DepthRules(**way, near_m=1e-3, boundaries=self.boundaries),
            "normals": NormalsRules(**way, pooled=self.pooled),
        }
        return {task: both[task] for task in self.tasks}

    @property
    def names(self):
        return [f"{'in' if index % 2 else 'out'}/{index:03d}.png" for index in range(self.images)]

    def load(self, index, *, image=True):
        self.loaded.append(index)
        if index in self.broken:
            raise InputError(f"{self.names[index]}: planted damage")
        generator = torch.Generator().manual_seed(index)
        pixels = torch.rand(3, *self.size, generator=generator)
        valid = torch.rand(self.size, generator=generator) > 0.2
        valid &= index not in self.empty
        depth_m = 1 + 5 * torch.rand(self.size, generator=generator)
        normals = F.normalize(torch.randn(3, *self.size, generator=generator), dim=0)
        return Case(
            name=self.names[index],
            stratum="indoor" if index % 2 else "outdoor",
            domain="indoor" if index % 2 else "outdoor",
            image=pixels if image else None,
            depth_m=depth_m if "depth" in self.tasks else None,
            depth_valid=valid if "depth" in self.tasks else None,
            normals=normals if "normals" in self.tasks else None,
            normals_valid=valid if "normals" in self.tasks else None,
        )

    def about(self):
        return {"images": self.images, "size": list(self.size)}


class Oracle(Predictor):
    """Predicts a toy's truth with a little noise of its own, except where it is told to fail."""

    def __init__(self, toy, task, *, name=None, noise=0.0, fails=(), spoils=(), wrong_size=()):
        self.card = Card(
            name=name or f"oracle-{task}",
            task=task,
            resolution=0,
            quantity=None if task == "normals" else "depth",
            invariance=None if task == "normals" else "affine",
            frame=None if task == "depth" else "opencv",
            domain="indoor" if task == "geometry" else None,
            attention="joint" if task == "geometry" else None,
        )
        self.dtype, self.device = torch.float32, torch.device("cpu")
        self.network = torch.nn.Module()
        self.network.prompt_tokens = 2
        self.noise, self.fails, self.spoils, self.wrong_size = noise, fails, spoils, wrong_size
        whole = Toy(images=toy.images, size=toy.size)
        self.cases = [whole.load(index) for index in range(toy.images)]
        self.groups, self.told = [], {}  # images together, and the domain told with each

    def inference(self, **asked):
        return resolve(self.card, **asked)

    def predict(self, pictures, inference, *, at_once=0):
        assert inference.ensemble == 1
        assert at_once >= len(pictures)
        found = [self._index(picture) for picture in pictures]
        self.groups.append(found)
        self.told |= dict.fromkeys(found, inference.domain)
        if set(found) & set(self.fails):
            raise InputError("the network's output is not finite")
        # What a batch's arithmetic does to the last digits: it depends on the batch's size.
        shift = 1e-4 * len(pictures)
        if self.card.task == "geometry":
            pairs = [[self._one(i, shift, task) for task in self.card.maps] for i in found]
            return [Geometry(depth=depth, normals=normals) for depth, normals in pairs]
        return [self._one(index, shift, self.card.task) for index in found]

    def _index(self, picture):
        (index,) = [k for k, case in enumerate(self.cases) if torch.equal(case.image, picture)]
        return index

    def _one(self, index, shift, task):
        case = self.cases[index]
        values = (case.depth_m / 6 if task == "depth" else case.normals).clone()
        generator = torch.Generator().manual_seed(1000 + index)
        values += (self.noise + shift) * torch.randn(values.shape, generator=generator)
        if index in self.spoils:
            values[..., 0, 0] = float("nan")
        if index in self.wrong_size:
            values = values[..., 1:]
        return Depth(tensor=values) if task == "depth" else Normals(tensor=values)
