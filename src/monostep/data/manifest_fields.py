"""Values of a manifest's fields: from text or JSON to Python, with the place in every error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from math import isfinite, isnan
from typing import Any

from monostep.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one line or one set of files says, before it is understood."""

    where: str  # the file, and the line where it has lines
    values: Mapping[str, Any]
    lines: Mapping[str, int] = field(default_factory=dict)  # of values that have their own

    def place(self, name: str) -> str:
        """Where this value stands."""
        return f"{self.where}, line {self.lines[name]}" if name in self.lines else self.where


def convert(entry: Entry, known: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """The fields that say something, each by its own rule.

    Raises:
        InputError: a field that is not known, or a value that its rule refuses.
    """
    converted = {}
    for name, value in entry.values.items():
        if name not in known:
            raise InputError(f"{entry.place(name)}: unknown {name!r}; known: {', '.join(known)}")
        if value is None or value == "":
            continue
        try:
            converted[name] = known[name](value)
        except InputError as error:
            raise InputError(f"{entry.place(name)}: {name} {value!r}: {error}") from error
    return converted


def plain(value: Any, rules: Mapping[type, Callable[[Any], Any]]) -> dict[str, Any]:
    """The fields of a frozen value that differ from their defaults, as JSON or text can say them.

    `rules` convert values by their type. Infinity, which JSON has not, becomes text.
    """
    told = {}
    for each in fields(value):
        item = getattr(value, each.name)
        if item is None or item == each.default:
            continue
        rule = next((rules[kind] for kind in rules if isinstance(item, kind)), _expressible)
        told[each.name] = rule(item)
    return told


def _expressible(item: Any) -> Any:
    if isinstance(item, float) and not isfinite(item):
        return str(item)
    return list(item) if isinstance(item, tuple) else item


def text(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise InputError(f"expected text, got {type(value).__name__}")
    return value


def number(value: Any) -> float:
    """A number, or the text of one."""
    try:
        if isinstance(value, bool) or isnan(converted := float(value)):
            raise ValueError
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError("expected a number") from error
    return converted


def four(value: Any) -> tuple[float, float, float, float]:
    """Focal lengths and principal point: [fx, fy, cx, cy], the first two positive."""
    if not isinstance(value, list) or len(value) != 4:
        raise InputError("expected [fx, fy, cx, cy] in pixels")
    fx, fy, cx, cy = (number(each) for each in value)
    if not (fx > 0 and fy > 0 and all(isfinite(each) for each in (fx, fy, cx, cy))):
        raise InputError("expected focal lengths above 0, and finite numbers")
    return fx, fy, cx, cy


def choice(*allowed: str) -> Callable[[Any], str]:
    """A rule: one of these words."""

    def rule(value: Any) -> str:
        if value not in allowed:
            raise InputError(f"expected one of {', '.join(allowed)}")
        return value

    return rule
