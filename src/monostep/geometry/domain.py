"""Where a picture was taken, as far as a model is told: indoors, outdoors, or of one object.

Source: GeoWizard (Fu et al., ECCV 2024), which has a mode for each.
"""

from typing import Literal, TypeAlias, get_args

from monostep.errors import SettingError

Domain: TypeAlias = Literal["indoor", "outdoor", "object"]
DOMAINS: tuple[Domain, ...] = get_args(Domain)


def check(name: str) -> Domain:
    """The name, if it is one of the three domains; SettingError otherwise."""
    if name not in DOMAINS:
        raise SettingError(f"domain {name!r}: choose {', '.join(DOMAINS)}")
    return name  # pyright: ignore[reportReturnType]
