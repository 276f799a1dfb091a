"""The models inside the package, and how a name becomes a folder."""

from pathlib import Path

from monostep.errors import CheckpointError

ROOT = Path(__file__).parent.parent / "embedded"


def names() -> list[str]:
    """Names of the embedded models, in order."""
    if not ROOT.is_dir():
        return []
    return sorted(path.parent.name for path in ROOT.glob("*/card.json"))


def locate(source: str | Path) -> Path:
    """Folder of an embedded model's name or of a path; CheckpointError if there is none."""
    if str(source) in names():
        return ROOT / str(source)
    path = Path(source)
    if path.is_dir():
        return path
    raise CheckpointError(
        f"model {str(source)!r}: neither an embedded model ({', '.join(names()) or 'none'}) "
        "nor a folder on this machine"
    )
