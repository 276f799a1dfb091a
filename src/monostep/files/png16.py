"""16-bit PNG in and out, with text chunks: Pillow silently cuts 16-bit colour to 8 bits."""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt16

from monostep.errors import InputError
from monostep.files.png_filters import unfilter

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # colour type -> grey, RGB, grey + alpha, RGBA
_COLOUR_TYPES = {channels: kind for kind, channels in _CHANNELS.items()}
_SUB = 1  # the writer's filter for every row: one subtraction, and undone by one running sum
_MOST_TEXT = 1 << 24  # bytes of one text chunk; more is an attack, not a description


@dataclass(frozen=True, kw_only=True)
class Header:
    """The facts of a PNG's first chunk; sizes in pixels, `bit_depth` per channel."""

    width: int
    height: int
    bit_depth: int
    channels: int
    interlaced: bool


@dataclass(frozen=True, kw_only=True)
class Png16:
    """A decoded 16-bit PNG: codes 0..65535 (grey, grey + alpha, RGB or RGBA) and its texts."""

    pixels: UInt16[np.ndarray, "height width channels"]
    text: dict[str, str]


def encode(
    codes: UInt16[np.ndarray, "height width"] | UInt16[np.ndarray, "height width channels"],
    text: Mapping[str, str],
) -> bytes:
    """Return a 16-bit PNG of grey [H, W] or 1 to 4 channel [H, W, C] codes, with text chunks."""
    height, width = codes.shape[:2]
    channels = codes.size // (height * width)
    header = _HEADER.pack(width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    raw = codes.astype(">u2", order="C").view(np.uint8).reshape(height, width, 2 * channels)
    rows = np.empty((height, 1 + width * 2 * channels), np.uint8)
    rows[:, 0] = _SUB
    rows[:, 1:] = np.diff(raw, axis=1, prepend=np.uint8(0)).reshape(height, -1)
    chunks = [_chunk(b"IHDR", header)]
    chunks += [_text_chunk(keyword, value) for keyword, value in text.items()]
    chunks += [_chunk(b"IDAT", zlib.compress(rows.tobytes(), level=2)), _chunk(b"IEND", b"")]
    return _SIGNATURE + b"".join(chunks)


def header(data: bytes) -> Header | None:
    """Return what the first 33 bytes of a PNG say, or None when they are no PNG's."""
    if not data.startswith(_SIGNATURE) or data[12:16] != b"IHDR" or len(data) < 33:
        return None
    width, height, depth, kind, _, _, interlace = _HEADER.unpack_from(data, 16)
    return Header(
        width=width,
        height=height,
        bit_depth=depth,
        channels=_CHANNELS.get(kind, 0),
        interlaced=interlace != 0,
    )


def decode(data: bytes) -> Png16:
    """Return codes and texts of a 16-bit PNG of any colour type that is not interlaced.

    Raises:
        InputError: not such a PNG, a checksum fails, or data are missing.
    """
    facts = header(data)
    if facts is None or facts.bit_depth != 16 or not facts.channels or facts.interlaced:
        raise InputError("not a 16-bit PNG without interlace: save it as one")
    if not facts.width or not facts.height:
        raise InputError("a PNG without pixels")
    packed, text = bytearray(), {}
    for kind, body in _chunks(data):
        if kind == b"IDAT":
            packed += body
        elif kind in _TEXT_READERS:
            keyword, value = _TEXT_READERS[kind](body)
            text[keyword] = value
    return Png16(pixels=_pixels(facts, bytes(packed)), text=text)


def verify(data: bytes) -> None:
    """Check any PNG's checksums up to its end mark; Pillow skips those of the image data.

    Raises:
        InputError: one fails, or the end mark is missing.
    """
    for _ in _chunks(data):
        pass


def _pixels(facts: Header, packed: bytes) -> UInt16[np.ndarray, "height width channels"]:
    """Inflate and unfilter the image data, never more than the header announces."""
    size = 2 * facts.channels
    stride = 1 + facts.width * size
    rows = np.frombuffer(_inflate(packed, facts.height * stride), np.uint8)
    if rows.size < facts.height * stride:
        raise InputError("the PNG's image data end early: the file is truncated")
    rows = rows.reshape(facts.height, stride)
    raw = unfilter(rows[:, 0], rows[:, 1:].reshape(facts.height, facts.width, size))
    return raw.view(">u2").astype(np.uint16)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and body of each chunk up to the end mark, with checksums verified."""
    place = len(_SIGNATURE)
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length
        if place > len(data):
            break
        if struct.unpack_from(">I", data, place - 4)[0] != zlib.crc32(body, zlib.crc32(kind)):
            raise InputError(f"PNG chunk {kind!r} fails its checksum: the file is damaged")
        if kind == b"IEND":
            return
        yield kind, body
    raise InputError("the PNG has no end mark: the file is truncated")


def _chunk(kind: bytes, body: bytes) -> bytes:
    """Return one chunk with its length and checksum."""
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def _text_chunk(keyword: str, value: str) -> bytes:
    """Return a tEXt chunk, which every reader knows, or iTXt where the text is not Latin-1."""
    name = keyword.encode("latin-1")
    try:
        return _chunk(b"tEXt", name + b"\0" + value.encode("latin-1"))
    except UnicodeEncodeError:
        return _chunk(b"iTXt", name + b"\0\0\0\0\0" + value.encode())


def _inflate(data: bytes, most: int) -> bytes:
    """Return at most `most` bytes of a zlib stream; more stay packed (no bombs)."""
    try:
        return zlib.decompressobj().decompress(data, most)
    except zlib.error as error:
        raise InputError(f"the PNG's compressed data are damaged ({error})") from error


def _plain_text(body: bytes) -> tuple[str, str]:
    keyword, _, value = body.partition(b"\0")
    return keyword.decode("latin-1"), value.decode("latin-1")


def _packed_text(body: bytes) -> tuple[str, str]:
    keyword, _, value = body.partition(b"\0")
    return keyword.decode("latin-1"), _inflate(value[1:], _MOST_TEXT).decode("latin-1")


def _world_text(body: bytes) -> tuple[str, str]:
    keyword, _, rest = body.partition(b"\0")
    value = rest[2:].split(b"\0", 2)[-1]
    if rest[:1] == b"\1":
        value = _inflate(value, _MOST_TEXT)
    return keyword.decode("latin-1"), value.decode("utf-8", errors="replace")


_TEXT_READERS = {b"tEXt": _plain_text, b"zTXt": _packed_text, b"iTXt": _world_text}
