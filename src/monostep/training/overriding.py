"""`--set key=value`: text to a setting of the type its field has.

Lists are JSON, or what stands between commas: data='["a.jsonl","b.jsonl"]' is data=a.jsonl,b.jsonl.
"""

import dataclasses
import json
from collections.abc import Sequence
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from monostep.errors import SettingError
from monostep.training.config import Phase, TrainConfig

Config = TypeVar("Config", bound=TrainConfig)
FIXED = {"recipe", "task"}
EXPECTED = {tuple[Phase, ...]: "phases", tuple[int, ...]: "whole numbers such as 1,2,2"}


def override(config: Config, settings: Sequence[str]) -> Config:
    """The config with `key=value` settings applied, each value read as its field's type."""
    hints = get_type_hints(type(config))
    changes: dict[str, Any] = {}
    for setting in settings:
        key, separator, text = setting.partition("=")
        if not separator:
            raise SettingError(f"--set {setting}: expected key=value")
        if key not in hints or key in FIXED:
            names = ", ".join(sorted(hints.keys() - FIXED))
            raise SettingError(f"--set {setting}: no setting {key!r}; there are: {names}")
        changes[key] = _parse(key, text, hints[key])
    return dataclasses.replace(config, **changes)


def _parse(key: str, text: str, hint: Any) -> Any:
    kind, optional = _without_none(hint)
    if optional and text == "none":
        return None
    if get_origin(kind) is tuple and kind != tuple[Phase, ...]:
        return tuple(_parse(key, one, get_args(kind)[0]) for one in _listed(text))
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise SettingError(f"--set {key}={text}: choose one of {', '.join(get_args(kind))}")
        return text
    if kind is str:
        return text
    try:
        return _plain(json.loads(text), kind)
    except (ValueError, TypeError) as error:
        expected = EXPECTED.get(kind) or kind.__name__
        raise SettingError(f"--set {key}={text}: expected {expected} ({error})") from error


def _listed(text: str) -> list[str]:
    """What a list holds, each as text again."""
    if not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return [part if isinstance(part, str) else json.dumps(part) for part in json.loads(text)]
    except ValueError as error:
        raise SettingError(f'{text}: not a list ({error}); write a,b or ["a","b"]') from error


def _without_none(hint: Any) -> tuple[Any, bool]:
    if not isinstance(hint, UnionType):
        return hint, False
    (kind,) = set(get_args(hint)) - {type(None)}
    return kind, True


def _plain(value: Any, kind: Any) -> Any:
    if kind == tuple[Phase, ...]:
        return tuple(_phase(each) for each in value)
    accepted = (int, float) if kind is float else (kind,)
    if type(value) not in accepted:
        raise TypeError(f"got {type(value).__name__}")
    return kind(value)


def _phase(value: Any) -> Phase:
    start, *whole = value
    height, width, images = (_plain(number, int) for number in whole)
    return _plain(start, float), height, width, images
