"""Shapes in the package's signatures, checked at every call by jaxtyping's hook with beartype.

Only functions that name an array are checked: what else a signature says pyright has seen, and
the checks of all took a quarter of the suite's time.

The checks of one signature are made once. The hook also decorates functions that are defined within
others, at every definition; a scene's rays meet solids in some hundred such, and making their
checks took longer than rendering.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import jaxtyping
from beartype import BeartypeConf, beartype

# int counts as float, as PEP 484 has it
_check = beartype(conf=BeartypeConf(is_pep484_tower=True))
_known: dict[tuple[object, ...], FunctionType] = {}


def check(function: FunctionType) -> FunctionType:
    """Decorate what jaxtyping made of a signature: it checks, and holds nothing of the function."""
    code = function.__code__
    key = (
        *(function.__module__, function.__qualname__, function.__name__),
        *(code.co_varnames, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        *(code.co_flags, len(function.__defaults__ or ()), *sorted(function.__kwdefaults__ or ())),
        *function.__annotations__.items(),
    )
    if key not in _known:
        _known[key] = _check(function)
    return _known[key]


def install() -> None:
    """Check the package's modules, as they are imported from now on."""
    everything = jaxtyping.jaxtyped

    def where_arrays_are(*, typechecker: Callable[..., Any]) -> Callable[[Any], Any]:
        checked = everything(typechecker=typechecker)
        return lambda given: checked(given) if isinstance(given, type) or _array(given) else given

    jaxtyping.jaxtyped = where_arrays_are  # what the hook writes above each definition
    jaxtyping.install_import_hook("monostep", "checked_once.check")


def _array(function: FunctionType) -> bool:
    """Whether an annotation is of an array, holds one, or is a text that may name one."""
    parts = function.__annotations__.values()
    return any(isinstance(part, str) or "jaxtyping." in repr(part) for part in parts)
