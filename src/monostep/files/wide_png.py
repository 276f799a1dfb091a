"""16-bit PNG photographs, whose colours Pillow would cut to 8 bits."""

import numpy as np
from jaxtyping import UInt16
from PIL import Image

from monostep.files import png16
from monostep.files.decoded import Decoded
from monostep.files.in_memory import File
from monostep.files.orientation import exif_facts


def decode(path: File) -> Decoded:
    """Return the 16-bit samples of a PNG for which `png16.header` says 16 bits, no interlace.

    Raises:
        InputError: the file is damaged.
    """
    # Pillow refuses bombs, and knows all the ways EXIF hides in a PNG.
    with path.open("rb") as file, Image.open(file) as image:
        orientation, focal_35mm = exif_facts(image)
        key = image.info.get("transparency")
        profile = image.info.get("icc_profile")
    pixels = png16.decode(path.read_bytes()).pixels
    return Decoded(
        samples=pixels if key is None else _with_alpha(pixels, key),
        orientation=orientation,
        focal_35mm=focal_35mm,
        profile=profile,
    )


def _with_alpha(
    pixels: UInt16[np.ndarray, "height width channels"], key: int | tuple[int, ...]
) -> UInt16[np.ndarray, "height width channels_and_alpha"]:
    """Add alpha that is 0 where a pixel has the one colour that a tRNS chunk declares clear."""
    clear = (pixels == np.asarray(key)).all(axis=-1)
    return np.dstack([pixels, np.where(clear, 0, 65535).astype(np.uint16)])
