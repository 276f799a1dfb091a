"""Values of a network's config.json, checked as they are taken out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monostep.errors import CheckpointError


@dataclass(frozen=True, kw_only=True)
class ConfigValues:
    """A config and the name of what it describes; every reading error is a CheckpointError."""

    config: Mapping[str, Any]
    of: str

    def number(self, name: str, default: int | None = None) -> int:
        """A positive whole number, or a list of one number again and again."""
        value = self._value(name, default)
        if isinstance(value, list) and len({*map(str, value)}) == 1:
            value = value[0]
        if type(value) is not int or value < 1:
            raise self._odd(name, value, "a positive whole number")
        return value

    def numbers(self, name: str, length: int | None = None, *, least: int = 1) -> tuple[int, ...]:
        """Whole numbers; with `length`, so many, or one number that stands for all."""
        value = self._value(name)
        if length is not None and type(value) is int:
            value = [value] * length
        whole = isinstance(value, list | tuple) and all(
            type(n) is int and n >= least for n in value
        )
        if not whole or not value or (length is not None and len(value) != length):
            raise self._odd(name, value, f"{length or 'some'} whole numbers >= {least}")
        return tuple(value)

    def names(self, name: str) -> list[str]:
        """A list of names."""
        value = self._value(name)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._odd(name, value, "a list of names")
        return value

    def real(self, name: str, default: float) -> float:
        """A positive number."""
        value = self._value(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise self._odd(name, value, "a positive number")
        return float(value)

    def check_fixed(self, fixed: Mapping[str, Any]) -> None:
        """Refuse a value other than the one implemented; null and absent stand for that one."""
        for name, expected in fixed.items():
            value = self.config.get(name)
            neutral = value is None or value == expected
            # A key that must be empty may also be false, zero or an empty list.
            if not neutral and (expected is not None or value):
                raise CheckpointError(
                    f"{self.of} config: {name} {value!r} is not implemented; expected {expected!r}"
                )

    def _value(self, name: str, default: Any = None) -> Any:
        value = self.config.get(name)
        if value is None and default is None:
            raise CheckpointError(
                f"{self.of} config: {name} is missing or of another family; use the config.json "
                "that came with the weights"
            )
        return default if value is None else value

    def _odd(self, name: str, value: Any, expected: str) -> CheckpointError:
        return CheckpointError(f"{self.of} config: {name} {value!r}; expected {expected}")
