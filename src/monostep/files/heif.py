"""HEIC and HEIF photographs, which need pillow_heif."""

from PIL import Image

from monostep.errors import MissingExtraError
from monostep.files.decoded import Decoded, refuse_bomb
from monostep.files.in_memory import File
from monostep.files.pillow_image import decode as decode_pillow

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF = (b"avif", b"avis")  # share the container, but Pillow reads them itself


def looks_like_heif(head: bytes) -> bool:
    """Tell from a file's first 64 bytes whether it is HEIF and not AVIF."""
    brands = head[8:]
    if head[4:8] != b"ftyp" or any(brand in brands for brand in _AVIF):
        return False
    return any(brand in brands for brand in _BRANDS)


def decode(path: File) -> Decoded:
    """Return the primary image, which libheif has turned upright already.

    Raises:
        MissingExtraError: pillow_heif is not installed.
    """
    try:
        import pillow_heif
    except ImportError as error:
        raise MissingExtraError(
            f"{path}: HEIC needs the package pillow-heif: pip install 'monostep[formats]'"
        ) from error
    with path.open("rb") as data:
        file = pillow_heif.open_heif(data)
        refuse_bomb(*file.size)
        return decode_pillow(_as_pillow(file))


def _as_pillow(file: object) -> Image.Image:
    return file.to_pillow()  # pyright: ignore[reportAttributeAccessIssue]
