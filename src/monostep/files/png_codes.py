"""PNG as numbers: the codes as they are stored, without palette, colour or alpha conversion."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image, UnidentifiedImageError

from monostep.errors import InputError
from monostep.files import png16
from monostep.files.decoded import DECODE_ERRORS, quiet
from monostep.files.in_memory import File


@dataclass(frozen=True, kw_only=True)
class PngCodes:
    """What a PNG stores: codes up to `top`, and its text chunks."""

    codes: UInt8[np.ndarray, "height width channels"] | UInt16[np.ndarray, "height width channels"]
    top: int  # the code that means all there can be: 1, 3, 15, 255 or 65535
    palette: bool  # codes are numbers of colours
    text: dict[str, str]


def read(path: File) -> PngCodes:
    """Read a PNG of 1 to 16 bits and any colour type.

    Raises:
        InputError: missing, damaged, too large, no PNG, or 16-bit colour with interlace.
    """
    try:
        data = path.read_bytes()
        with quiet(), Image.open(BytesIO(data), formats=["PNG"]) as image:  # refuses bombs
            png16.verify(data)
            return _read(data, image)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; check the path") from error
    except UnidentifiedImageError as error:  # its own words name a place in memory
        raise InputError(
            f"{path}: not a readable PNG (another kind of file, or a damaged head)"
        ) from error
    except (*DECODE_ERRORS, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: not a readable PNG ({reason})") from error


def _read(data: bytes, image: Image.Image) -> PngCodes:
    facts = png16.header(data)
    if facts is not None and facts.bit_depth == 16 and facts.channels > 1:
        picture = png16.decode(data)  # Pillow would cut it to 8 bits
        return PngCodes(codes=picture.pixels, top=65535, palette=False, text=picture.text)
    values = np.asarray(image)
    wide = facts is not None and facts.bit_depth == 16
    codes = values.astype(np.uint16 if wide else np.uint8)
    top = 65535 if wide else 1 if image.mode == "1" else 255
    if facts is not None and image.mode == "L" and facts.bit_depth in (2, 4):
        top = 2**facts.bit_depth - 1
        codes //= 255 // top  # Pillow has spread them over 8 bits
    texts = {str(key): str(text) for key, text in image.info.items() if isinstance(text, str)}
    return PngCodes(
        codes=codes if codes.ndim == 3 else codes[..., None],
        top=top,
        palette=image.mode == "P",
        text=texts,
    )
