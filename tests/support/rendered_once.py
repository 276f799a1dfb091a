"""The renderer where the same few pictures are asked for again and again: each is made once."""

from functools import cache

from monostep.data.procedural import render as rendering


def render(seed, indices, size):
    """As `monostep.data.procedural.render`; what it returns is shared and not to be written in."""
    return _rendered(seed, tuple(indices), tuple(size))


@cache
def _rendered(seed, indices, size):
    return rendering(seed, indices, size)
