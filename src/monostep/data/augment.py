"""Changes of a photograph that leave its geometry as it is, for sturdier maps.

Source, but for the other camera: the training of Marigold's normals v1.1: ColorJitter (0.5, 0.5,
0.5, 0.2), a Gaussian blur of deviation U(0, 4) and a motion blur of 3 to 11 pixels at any angle,
each on 30 % of the images.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.data import blur
from monostep.data.camera import Camera, taken
from monostep.data.colour_jitter import Jitter, jittered

Image = Float[Tensor, "3 height width"]
# Marigold blurs images of 768 rows, before they are made smaller, and no others; here every image
# may be blurred, by as much of its height.
ROWS = 768
MOST_DEVIATION = 4.0
LENGTHS = (3, 5, 7, 9, 11)


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Shares of the images, in [0, 1], that each change is applied to."""

    jitter: float = 0.0
    camera: float = 0.0
    blur: float = 0.0
    motion_blur: float = 0.0

    @property
    def changes(self) -> bool:
        """Whether any image is changed."""
        return max(self.jitter, self.camera, self.blur, self.motion_blur) > 0

    def apply(self, image: Image, generator: torch.Generator) -> Image:
        """The changed image; all that is random is drawn from the image's own generator.

        Args:
            image: sRGB in [0, 1], on any device.
            generator: on the CPU; as many numbers are drawn whichever changes are chosen.
        """
        chosen = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
        sizes = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
        length = LENGTHS[int(torch.randint(len(LENGTHS), (), generator=generator))]
        own = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))
        if chosen[0] < self.jitter:
            image = jittered(image, Jitter(), own)
        if chosen[3] < self.camera:
            image = taken(image, Camera(), own)
        scale = image.shape[-2] / ROWS
        if chosen[1] < self.blur:
            image = blur.focused(image, MOST_DEVIATION * sizes[0] * scale)
        if chosen[2] < self.motion_blur:
            image = blur.shaken(image, 1 + (length - 1) * scale, 360 * sizes[1])
        return image
