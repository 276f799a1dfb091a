"""Single acts of furnishing: choosing a model, putting it at a wall, beside another, on top."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scripts.furnished import roles
from scripts.furnished.library import Library, Model
from scripts.furnished.placing import Floor, Placed
from scripts.furnished.standing import Surface

_TRIES = 14


class Furnisher:
    """Puts models of a library on a floor, every choice from one random generator."""

    def __init__(self, floor: Floor, library: Library, rng: np.random.Generator) -> None:
        self.floor, self.library, self.rng = floor, library, rng
        self.groups = 0
        self.surfaces: list[Surface] = []

    def chance(self, probability: float) -> bool:
        """Whether something happens."""
        return bool(self.rng.random() < probability)

    def uniform(self, low: float, high: float) -> float:
        """A number between the two."""
        return float(self.rng.uniform(low, high))

    def pick(self, role: str, fits: Callable[[Model], bool] = lambda _: True) -> Model | None:
        """A model of the role, None if there is none."""
        found = [model for model in self.library.by_role.get(role, ()) if fits(model)]
        return found[self.rng.integers(len(found))] if found else None

    def group(self) -> int:
        """The number of a new group."""
        self.groups += 1
        return self.groups

    def vary(self, model: Model, spread: float = 0.1) -> dict:
        """Size and handedness of one copy of the model."""
        together = self.uniform(1 - spread / 2, 1 + spread / 2)
        wide, tall, deep = (together * self.uniform(1 - spread, 1 + spread) for _ in range(3))
        most = (self.floor.size[1] - 0.05) / model.size[1]
        return {"scale": (wide, min(tall, most), deep), "mirrored": self.chance(0.5)}

    def against(
        self, model: Model | None, wall: int | None = None, *, along: float | None = None, **how
    ) -> Placed | None:
        """Put the model with its back to a wall, somewhere along it or at `along`.

        Args:
            model: what; nothing happens with None.
            wall: which; any if None.
            along: of its centre, metres; anywhere if None.
            how: `elevation` in metres, `gap` behind it, `group`, `scale`, `mirrored`.
        """
        if model is None:
            return None
        for _ in range(1 if along is not None and wall is not None else _TRIES):
            chosen = int(self.rng.integers(4)) if wall is None else wall
            thing = self._at_wall(model, chosen, along, dict(how))
            if thing is not None and self.floor.add(thing):
                return self._added(thing)
        return None

    def _at_wall(self, model: Model, wall: int, along: float | None, how: dict) -> Placed | None:
        elevation = how.pop("elevation", 0.0)
        gap = how.pop("gap", None)
        thing = Placed(model=model, position=(0, 0, 0), angle=0, **{**self.vary(model), **how})
        width, _, depth = thing.size
        length = self.floor.length(wall)
        if width > length:
            return None
        gap = self.uniform(0, 0.04) if gap is None else gap
        corner = self.chance(0.25)
        place = self.uniform(width / 2, length - width / 2) if along is None else along
        if corner and along is None:
            place = width / 2 if self.chance(0.5) else length - width / 2
        x, z = self.floor.point(wall, place, gap + depth / 2)
        return replace(thing, position=(x, elevation, z), angle=self.floor.angle(wall))

    def beside(
        self, model: Model | None, of: Placed, right: float, front: float, **how
    ) -> Placed | None:
        """Put the model at a place in the frame of another thing: metres to its right and front.

        Args:
            model: what; nothing happens with None.
            of: the other thing.
            right: metres along its x.
            front: metres along its z.
            how: `turn` relative to it, `elevation`, `group`, `scale`, `mirrored`, `on`.
        """
        if model is None:
            return None
        turn, elevation = how.pop("turn", 0.0), how.pop("elevation", 0.0)
        c, s = math.cos(of.angle), math.sin(of.angle)
        x, _, z = of.position
        thing = Placed(
            model=model,
            position=(x + right * c + front * s, elevation, z - right * s + front * c),
            angle=of.angle + turn,
            **{**self.vary(model), **how},
        )
        return self._added(thing) if self.floor.add(thing) else None

    def free(self, model: Model | None, *, margin: float = 0.0, **how) -> Placed | None:
        """Put the model anywhere, `margin` metres from the walls."""
        if model is None:
            return None
        square = self.chance(0.5)
        for _ in range(_TRIES):
            angle = self.uniform(0, 2 * math.pi)
            angle = round(angle / (math.pi / 2)) * math.pi / 2 if square else angle
            far = margin + min(model.size[0], model.size[2]) / 2
            width, _, depth = self.floor.size
            if far * 2 >= min(width, depth):
                return None
            place = (self.uniform(far, width - far), 0.0, self.uniform(far, depth - far))
            thing = Placed(model=model, position=place, angle=angle, **{**self.vary(model), **how})
            if self.floor.add(thing):
                return self._added(thing)
        return None

    def _added(self, thing: Placed) -> Placed:
        if thing.model.role in roles.SUPPORTS:
            self.surfaces.append(Surface(thing))
        return thing

    def surface(self, thing: Placed | None) -> Surface | None:
        """The surface of a thing that was put somewhere."""
        return next((each for each in self.surfaces if each.under is thing), None)

    def on(self, thing: Placed | None, categories: tuple[str, ...], count: int) -> None:
        """Put up to `count` small things on it, most of them of the categories."""
        surface = self.surface(thing)
        if surface is None:
            return
        for _ in range(count):
            own = self.chance(0.75)
            model = self.pick("small", lambda m, own=own: (m.category in categories) or not own)
            if model is not None:
                surface.place(model, self.floor, self.rng)
