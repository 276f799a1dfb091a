"""Seeds that are functions of what they are for, so that no generator has a history."""

from hashlib import blake2b


def derive(*parts: int | str) -> int:
    """A number below 2^63 that any change of a part changes entirely."""
    digest = blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
