"""The held-out procedural scenes, rendered a few at a time."""

from collections.abc import Iterator

from monostep.data.procedural import render
from monostep.data.samples import KINDS, Samples
from monostep.evaluation.protocol import Procedural
from monostep.evaluation.truth import Truth

AT_ONCE = 10  # scenes in memory


def scenes(protocol: Procedural) -> Iterator[Truth]:
    """The protocol's scenes in order, in batches that bound the memory."""
    size = (protocol.height, protocol.width)
    for first in range(0, protocol.images, AT_ONCE):
        indices = range(first, min(first + AT_ONCE, protocol.images))
        samples = render(protocol.seed, indices, size)
        yield _truth(samples, [f"{index:06d}" for index in indices], protocol)


def _truth(samples: Samples, names: list[str], protocol: Procedural) -> Truth:
    return Truth(
        names=tuple(names),
        strata=tuple(KINDS[int(kind)] for kind in samples.kind),
        image=samples.image,
        depth_m=samples.depth_m,
        depth_valid=samples.valid & (samples.depth_m <= protocol.far_m),
        normals=samples.normals,
        normals_valid=samples.valid,
    )
