"""What each claim of the paper must reach in the miniature; written down before its runs.

The number that is judged is a ratio of mean errors (or, where said, of another quantity), and
its 95 % interval must lie between `least` and `most` for the claim to be confirmed. The report
names the commit that last changed this file, so nothing else belongs here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Margin:
    """Between which values the interval of a ratio must lie; None: no limit on that side."""

    least: float | None = None
    most: float | None = None


MARGINS = {
    # a: one leading step over one trailing step
    "a": Margin(least=2.5),
    # b: one trailing step over 50 steps, alone and as an ensemble of 10
    "b-50x1": Margin(most=1.03),
    "b-50x10": Margin(most=1.10),
    # c: the estimate after the first of 50 trailing steps over that after the last
    "c": Margin(most=1.05),
    # d, e: E2E from the diffusion model, from the base model, over the best ensemble of 50 x 10
    "d": Margin(most=1.0),
    "e": Margin(most=1.0),
    # f: E2E from the diffusion model, from the base model, over E2E from random weights
    "f-diffusion": Margin(most=1.0),
    "f-base": Margin(most=1.0),
    # g: E2E with zero noise over E2E with the best other noise
    "g": Margin(most=1.02),
    # i: LCM's one step over the diffusion model's one trailing step
    "i": Margin(least=1.0),
    # j: E2E with the decoder trained, too, over E2E with it frozen
    "j": Margin(least=0.98, most=1.02),
    # k: the loss on the decoded map over the loss on the latent
    "k": Margin(most=1.0),
    # l: distance of generated images from held-out ones plus that of held-out ones from each other
    # (energy distances may be next to 0, their ratios anything), trailing over leading
    "l-25": Margin(least=0.95, most=1.05),
    "l-50": Margin(least=0.95, most=1.05),
    # m: bytes kept for the backward pass at Stable Diffusion's size, 2 and 4 calls of the UNet
    # (and one of the decoder) over 1 call of it
    "m-2": Margin(least=1.5),
    "m-4": Margin(least=2.5),
    # n: E2E on 10,000 scenes over 1,000, and on 100,000 over 10,000
    "n-10k": Margin(most=1.0),
    "n-100k": Margin(most=1.02),
}  # h: a to g with the margins of depth, for normals
