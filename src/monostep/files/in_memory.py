"""Files that are in memory already: members of a tar, or a download."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal, TypeAlias


@dataclass(frozen=True, kw_only=True)
class InMemory:
    """The bytes of a file under the name that messages call it; read like a path."""

    name: str
    data: bytes

    def open(self, mode: Literal["rb"] = "rb") -> BytesIO:
        """The bytes as a file that is open for reading."""
        assert mode == "rb"
        return BytesIO(self.data)

    def read_bytes(self) -> bytes:
        """All of it."""
        return self.data

    def __str__(self) -> str:
        return self.name


File: TypeAlias = Path | InMemory
"""What the readers of this folder take."""
