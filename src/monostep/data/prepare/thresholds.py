"""Which frames are worth training on."""

from dataclasses import dataclass

from monostep.data.prepare.job import Facts


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Limits of a frame's depth, image and holes.

    The defaults are the figures that Marigold's authors gave for their filtered Hypersim lists
    (issue 158 of prs-eth/Marigold); how they measured is not published, so a list made with these
    need not be theirs. Theirs can be given as a list.
    """

    least_depth_range_m: float = 0.5
    least_rgb_range: int = 10  # of 255
    most_invalid: float = 0.03  # share of the pixels

    def admit(self, facts: Facts) -> bool:
        """Tell whether a frame is within the limits."""
        return (
            facts.most_m - facts.least_m >= self.least_depth_range_m
            and facts.brightest - facts.darkest >= self.least_rgb_range
            and facts.invalid <= self.most_invalid
        )
