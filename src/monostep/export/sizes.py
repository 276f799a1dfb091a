"""`monostep.images.fit` for images of any size in one graph: its whole numbers become symbols."""

import torch
from jaxtyping import Float
from torch import Tensor

Size = tuple[int, int]  # height and width in pixels


def sizes(original: Size, *, resolution: int, multiple: int) -> tuple[Size, Size]:
    """What `monostep.images.fit.place` calls the resized and the padded size."""
    longest: int = torch.sym_max(*original)  # pyright: ignore[reportAssignmentType] - of integers
    target = resolution if resolution > 0 else longest
    resized: list[int] = [torch.sym_max(1, side * target // longest) for side in original]  # pyright: ignore
    latent = [(side + multiple - 1) // multiple for side in resized]
    height, width, latent_height, latent_width = of_their_own(*resized, *latent)
    return (height, width), (multiple * latent_height, multiple * latent_width)


def of_their_own(*lengths: int) -> list[int]:
    """The same numbers, without the formulas that made them where they are symbols.

    torch.export would carry the formulas into every size of the network and tie the image to those
    for which the comparisons it meets come out as for the example: sides of one pixel would fail.
    """
    numbers = torch.stack([torch.scalar_tensor(each, dtype=torch.int64) for each in lengths])
    fresh: list[int] = numbers.tolist()
    for each in fresh:
        torch._check(each >= 1)
    return fresh


def at(
    values: Float[Tensor, "batch channel height width"], size: Size, *, last: Size
) -> Float[Tensor, "batch channel new_height new_width"]:
    """The values at rows and columns 0, 1, ..., of which none is beyond `last`: pads or crops."""
    for axis in (0, 1):
        index = torch.arange(size[axis]).clamp(max=last[axis] - 1)
        values = values.index_select(2 + axis, index)
    return values
