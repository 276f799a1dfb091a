"""The one way the project turns a description into JSON text and back."""

import json
from collections.abc import Mapping
from typing import Any

from monostep.errors import InputError, OutputError


def to_json(mapping: Mapping[str, Any], *, indent: int | None = None) -> str:
    """Return strict ASCII JSON with sorted keys (no NaN or infinity, which other readers refuse).

    Raises:
        OutputError: a value is not expressible in JSON.
    """
    try:
        return json.dumps(dict(mapping), sort_keys=True, indent=indent, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise OutputError(
            f"the description cannot be written as JSON: {error}; "
            "use text, finite numbers, true/false, null, lists and mappings only"
        ) from error


def from_json(text: str | bytes, *, where: str) -> dict[str, Any]:
    """Return the mapping in a JSON text; `where` names its origin in the error.

    Raises:
        InputError: the text is not a JSON object.
    """
    try:
        mapping = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not valid JSON ({error}); write the file again") from error
    if not isinstance(mapping, dict):
        raise InputError(f"{where}: expected a JSON object, got {type(mapping).__name__}")
    return mapping
