"""How far the members of an ensemble are apart after each step, pixel by pixel.

The paper's Figure 2: with trailing spacing members agree from the first step on, as far as the
model knows the scene at all; with leading spacing the first steps say nothing.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Float

from monostep.errors import SettingError
from monostep.pictures import as_bytes
from monostep.reproduction.sampling import Subject
from monostep.reproduction.trials import MEMBERS, PATH, sampled
from monostep.results import map_of

STEPS = (1, 2, 5, 10, 25, 50)  # of 50, after which the members are looked at


def deviation(subject: Subject, *, members: int = MEMBERS) -> Mapping[str, np.ndarray]:
    """Standard deviation over the members of a depth model, after some of 50 steps from noise.

    Returns:
        `image` [scene, height, width, 3] in 8 bits; `steps`; `trailing` and `leading` [scene,
        step, height, width], with that spacing; in units of the predicted depth, from 0 to 1.

    Raises:
        SettingError: no model of depth, or none that takes 50 steps.
    """
    if subject.card.task != "depth":
        raise SettingError(
            f"{subject.card.name} predicts {subject.card.task}: the deviation is that of depth; "
            "choose a model of depth"
        )
    images = [as_bytes(case.image) for case in subject.scenes.cases if case.image is not None]
    found = {
        spacing: np.stack(list(_deviations(subject, spacing, members)))
        for spacing in ("trailing", "leading")
    }
    return {"image": np.stack(images), "steps": np.array(STEPS), **found}


def _deviations(
    subject: Subject, spacing: str, members: int
) -> Iterator[Float[np.ndarray, "step height width"]]:
    """Of each scene."""
    for steps in subject.members(subject.inference(sampled(spacing, PATH, members)), STEPS):
        maps = torch.stack(
            [torch.stack([map_of(one, "depth").tensor for one in step]) for step in steps]
        )
        yield maps.std(dim=1).numpy()
