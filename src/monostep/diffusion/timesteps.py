"""Which timesteps a sampler visits, from noise to clean: the spacings of the field.

With one step, `leading` visits t = 1: the network is told that pure noise is an almost clean
latent, and says nothing. `trailing` visits t = T-1. That is the flaw that the paper found.

Source: Lin et al., Common Diffusion Noise Schedules and Sample Steps are Flawed, table 2; LCM: Luo
et al., Latent Consistency Models. Values agree with diffusers' schedulers.
"""

from collections.abc import Callable, Mapping

import numpy as np

from monostep.diffusion.schedule import Schedule
from monostep.errors import SettingError

Times = tuple[int, ...]


def timesteps(schedule: Schedule, *, spacing: str, steps: int) -> Times:
    """The `steps` timesteps of a spacing, falling; SettingError if there are none such."""
    if spacing not in SPACINGS:
        raise SettingError(f"spacing {spacing!r}: choose {', '.join(SPACINGS)}")
    most = schedule.coarse if spacing == "lcm" else len(schedule.alpha_bar)
    if not 1 <= steps <= most:
        raise SettingError(f"steps {steps}: with {spacing} spacing choose 1 to {most}")
    return SPACINGS[spacing](schedule, steps)


def _leading(schedule: Schedule, steps: int) -> Times:
    """From the clean end: 0, s, 2s, ... for s = T / N, all shifted up by the offset."""
    stride = len(schedule.alpha_bar) // steps
    return tuple(
        min(index * stride + schedule.offset, schedule.last) for index in reversed(range(steps))
    )


def _trailing(schedule: Schedule, steps: int) -> Times:
    """From the noisy end: T, T - s, T - 2s, ... for s = T / N, each minus 1."""
    total = len(schedule.alpha_bar)
    # The cut: for 62 counts below T = 1000 rounding makes arange one step too long, ending in -1.
    times = np.round(np.arange(total, 0, -total / steps))[:steps] - 1
    return tuple(int(time) for time in times)


def _linspace(schedule: Schedule, steps: int) -> Times:
    """Both ends and equal distances between."""
    stride = schedule.last / (steps - 1) if steps > 1 else 0.0
    return tuple(round(index * stride) for index in reversed(range(steps)))


def _lcm(schedule: Schedule, steps: int) -> Times:
    """Trailing among the steps of the teacher from which a consistency model was distilled."""
    stride = len(schedule.alpha_bar) // schedule.coarse
    grid = [(index + 1) * stride - 1 for index in reversed(range(schedule.coarse))]
    return tuple(grid[index * schedule.coarse // steps] for index in range(steps))


SPACINGS: Mapping[str, Callable[[Schedule, int], Times]] = {
    "trailing": _trailing,
    "leading": _leading,
    "linspace": _linspace,
    "lcm": _lcm,
}
