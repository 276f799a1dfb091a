"""beartype for jaxtyping's hook: the checks of one signature are made once.

The hook also decorates functions that are defined within others, at every definition; a scene's
rays meet solids in some hundred such, and making their checks took longer than rendering.
"""

from types import FunctionType

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
