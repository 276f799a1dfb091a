"""The protocols of the normals benchmarks, as data.

dsine-2024    the published protocol: Bae and Davison (CVPR 2024). Images of their own size, scores
              over all valid pixels of all images together, so that large images weigh more.
e2e-ft-2024   the same on the distorted colours that the published numbers of E2E-FT and of its
              baselines were measured with (`monostep.evaluation.sets.stretched`).
monostep-1    images are padded, not squeezed, and every image counts the same.

Models that are told a domain hear that of the data set in all of them.
"""

from monostep.errors import SettingError
from monostep.evaluation.rules import Input, NormalsRules
from monostep.evaluation.sets.normals_layouts import NormalsLayout

PROTOCOLS = ("dsine-2024", "e2e-ft-2024", "monostep-1")


def normals_rules(layout: NormalsLayout, protocol: str) -> NormalsRules:
    """How normals are judged on a benchmark by a protocol.

    Raises:
        SettingError: there is no such protocol.
    """
    if protocol not in PROTOCOLS:
        choices = ", ".join(PROTOCOLS)
        raise SettingError(f"{layout.name}: no protocol {protocol!r}; choose {choices}")
    published = protocol != "monostep-1"
    return NormalsRules(
        protocol=protocol,
        input=Input(
            resolution=0,
            fit="reference" if published else "pad",
            colours="stretched" if protocol == "e2e-ft-2024" else "as they are",
            domain=layout.domain,
        ),
        pooled=published,
    )
