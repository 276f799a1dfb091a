"""In which words two keys of judged lines differ."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_ABSENT = "not set"
_WORDS = {"only_first": ("images", "all")}  # what the user typed, and what its absence means
_LONGEST = 40  # signs of a value that is shown


def difference(head: str, key: Mapping[str, Any]) -> str:
    """How the key that was written as `head` differs from ours; names the first such value."""
    try:
        old = json.loads(head)
        changed = [name for name in sorted({*old, *key}) if old.get(name) != key.get(name)]
    except (ValueError, TypeError, AttributeError):
        return "is damaged"
    words = f"was made with other {', other '.join(changed)}"
    before, now = (dict(_leaves({name: of.get(name) for name in changed})) for of in (old, key))
    for path in dict.fromkeys([*now, *before]):
        if now.get(path) != before.get(path):
            return f"{words} ({_shown(path, now.get(path), before.get(path))})"
    return words


def _leaves(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _shown(path: str, now: Any, before: Any) -> str:
    name = path.rpartition(".")[2]
    name, absent = _WORDS.get(name, (name, _ABSENT))
    return f"{name}: {_short(now, absent)} now, {_short(before, absent)} before"


def _short(value: Any, absent: str) -> str:
    text = absent if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
