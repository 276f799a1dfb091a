"""Who takes part: our forms, diffusers' pipeline and other depth estimators, in which precision."""

from collections.abc import Sequence
from dataclasses import dataclass

from monostep.benchmark.rivals import ARCHITECTURES
from monostep.device import DTYPES
from monostep.errors import SettingError

OURS, UNFOLDED, DIFFUSERS, PEAK = "monostep", "unfolded", "diffusers", "matrix product"
OTHERS = (UNFOLDED, DIFFUSERS, *ARCHITECTURES)
SAME_WEIGHTS = (OURS, UNFOLDED, DIFFUSERS)  # whose maps can be compared
AUTO, EXACT = "auto", "fp32"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One program in one precision, in a process of its own.

    `dtype` is one of `monostep.device.DTYPES`, or "auto" until it is loaded.
    """

    kind: str
    dtype: str
    compiled: bool = False

    @property
    def name(self) -> str:
        """As reports call it."""
        return f"{self.kind} {self.dtype}{' compiled' if self.compiled else ''}"


def line_up(dtypes: Sequence[str], against: Sequence[str], *, compiled: bool) -> list[Subject]:
    """All who take part: our default first, then every precision of everyone.

    float32 of ours is always among them, since differences are told from it, and so is float32 of
    diffusers, which is its default.

    Raises:
        SettingError: an unknown precision or opponent.
    """
    check(dtypes, tuple(DTYPES), "dtype")
    check(against, OTHERS, "against")
    precisions = list(dict.fromkeys([*dtypes, EXACT]))
    found = [Subject(kind=OURS, dtype=dtype) for dtype in (AUTO, *precisions)]
    if compiled:
        found += [Subject(kind=OURS, dtype=dtype, compiled=True) for dtype in dtypes]
    for kind in against:
        for dtype in precisions if kind == DIFFUSERS else dtypes:
            found.append(Subject(kind=kind, dtype=dtype))
        if compiled and kind == DIFFUSERS:
            found += [Subject(kind=kind, dtype=dtype, compiled=True) for dtype in dtypes]
    return found + [Subject(kind=PEAK, dtype=dtype) for dtype in (AUTO, *precisions)]


def check(names: Sequence[str], known: Sequence[str], option: str) -> None:
    """Raise SettingError for a name of an option that is not known."""
    for name in names:
        if name not in known:
            raise SettingError(f"--{option} {name}: choose of {', '.join(known)}")
