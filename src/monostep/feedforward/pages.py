"""Memory that was freed, given back to the system.

glibc cuts blocks of up to 32 MB from one heap, and keeps what becomes free inside of it. Where
weights are made one by one, each with scratch of its size, that would be a third of them.
"""

import ctypes
import sys
from collections.abc import Callable
from functools import cache

LARGE = 8 << 20  # bytes of a tensor after whose making it is worth the time


def give_back() -> None:
    """Give free pages inside the heap back to the system (Linux with glibc; else nothing)."""
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    if sys.platform != "linux":
        return None
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # another C library than glibc
        return None
