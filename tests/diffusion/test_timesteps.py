import itertools

import diffusers
import numpy as np
import pytest

from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.diffusion.timesteps import SPACINGS, timesteps
from monostep.errors import SettingError

SCHEDULE = Schedule(alpha_bar=scaled_linear(), target="velocity")

# The table of Marigold's and E2E-FT's schedulers (T = 1000, offset 1); for the paper's own
# table A-1, which counts from 1, add one.
TABLE = {
    ("leading", 1): (1,),
    ("leading", 2): (501, 1),
    ("leading", 3): (667, 334, 1),
    ("leading", 4): (751, 501, 251, 1),
    ("leading", 5): (801, 601, 401, 201, 1),
    ("leading", 10): tuple(range(901, 0, -100)),
    ("leading", 20): tuple(range(951, 0, -50)),
    ("leading", 25): tuple(range(961, 0, -40)),
    ("leading", 50): tuple(range(981, 0, -20)),
    ("trailing", 1): (999,),
    ("trailing", 2): (999, 499),
    ("trailing", 3): (999, 666, 332),
    ("trailing", 4): (999, 749, 499, 249),
    ("trailing", 5): (999, 799, 599, 399, 199),
    ("trailing", 10): tuple(range(999, 0, -100)),
    ("trailing", 20): tuple(range(999, 0, -50)),
    ("trailing", 25): tuple(range(999, 0, -40)),
    ("trailing", 50): tuple(range(999, 0, -20)),
    ("linspace", 1): (0,),
    ("linspace", 2): (999, 0),
    ("linspace", 4): (999, 666, 333, 0),
    ("linspace", 10): tuple(range(999, -1, -111)),
    ("lcm", 1): (999,),
    ("lcm", 2): (999, 499),
    ("lcm", 3): (999, 679, 339),
    ("lcm", 4): (999, 759, 499, 259),
    ("lcm", 5): (999, 799, 599, 399, 199),
    ("lcm", 8): (999, 879, 759, 639, 499, 379, 259, 139),
    ("lcm", 10): tuple(range(999, 0, -100)),
}


@pytest.mark.parametrize(("spacing", "steps"), TABLE)
def test_the_published_tables(spacing, steps):
    assert timesteps(SCHEDULE, spacing=spacing, steps=steps) == TABLE[spacing, steps]


@pytest.mark.parametrize("stride", [9, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("spacing", SPACINGS)
def test_every_count_gives_that_many_falling_timesteps_of_the_schedule(spacing, stride):
    most = SCHEDULE.coarse if spacing == "lcm" else 1000
    for steps in [*range(1, 51), *range(51, most, stride), most]:
        times = timesteps(SCHEDULE, spacing=spacing, steps=steps)
        assert len(times) == steps
        assert 0 <= times[-1] <= times[0] <= SCHEDULE.last
        pairs = itertools.pairwise(times)
        # leading with 1000 steps would start at 1000, outside of the schedule
        assert all(a > b for a, b in pairs) or (spacing, steps) == ("leading", 1000)


def test_trailing_has_no_step_too_many_where_floating_point_gives_one():
    overflowing = []
    for steps in range(1, 1001):
        naive = np.round(np.arange(1000, 0, -1000 / steps)).astype(int) - 1
        ours = timesteps(SCHEDULE, spacing="trailing", steps=steps)
        assert list(ours) == list(naive[:steps])
        if len(naive) > steps:
            assert naive[-1] == -1
            overflowing.append(steps)
    assert len(overflowing) == 62
    assert overflowing[:6] == [61, 103, 121, 122, 201, 206]


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
def test_diffusers_ddim_visits_the_same(spacing):
    theirs = diffusers.DDIMScheduler(timestep_spacing=spacing, steps_offset=1)
    for steps in [1, 2, 3, 4, 7, 10, 50, 64, 999]:
        theirs.set_timesteps(steps)
        assert timesteps(SCHEDULE, spacing=spacing, steps=steps) == tuple(theirs.timesteps.tolist())


def test_diffusers_lcm_visits_the_same():
    theirs = diffusers.LCMScheduler(original_inference_steps=50)
    for steps in range(1, 51):
        theirs.set_timesteps(steps)
        assert timesteps(SCHEDULE, spacing="lcm", steps=steps) == tuple(theirs.timesteps.tolist())


@pytest.mark.parametrize(
    ("spacing", "steps", "words"),
    [
        ("trailing", 0, "choose 1 to 1000"),
        ("trailing", 1001, "choose 1 to 1000"),
        ("lcm", 51, "choose 1 to 50"),
        ("uniform", 4, "choose trailing, leading, linspace, lcm"),
    ],
)
def test_what_does_not_exist_is_refused(spacing, steps, words):
    with pytest.raises(SettingError, match=words):
        timesteps(SCHEDULE, spacing=spacing, steps=steps)
