"""What the numbers of a prediction are: as its file says, or as the user declares.

monostep writes into its files, or into the JSON beside a .npy, what they hold. Others say nothing:
then the declaration counts, and without one a map of depth holds depth, not its inverse. Normals
have no such default: two frames that differ by a sign look alike.
"""

from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

from monostep.errors import InputError, SettingError
from monostep.evaluation.rules import Task
from monostep.files.atomic import read_json
from monostep.geometry.depth import Invariance, Quantity
from monostep.geometry.frames import Frame
from monostep.runner import naming, record

_WORDS: Mapping[str, tuple[str, ...]] = {
    "quantity": get_args(Quantity),
    "invariance": get_args(Invariance),
    "frame": get_args(Frame),
}
_OF: Mapping[Task, tuple[str, ...]] = {"depth": ("quantity", "invariance"), "normals": ("frame",)}


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What is known of a prediction's numbers; None: not said, or no matter for the task."""

    quantity: Quantity | None = None
    invariance: Invariance | None = None
    frame: Frame | None = None


def declared(words: Mapping[str, str | None], task: Task) -> Meaning:
    """A user's words by name: quantity, invariance, frame.

    Raises:
        SettingError: an unknown word, or one that means nothing for the task.
    """
    given = {name: word for name, word in words.items() if word is not None}
    for name, word in given.items():
        if name not in _OF[task]:
            raise SettingError(f"predictions of {task} have no {name}: leave {word!r} out")
        if word not in _WORDS[name]:
            raise SettingError(
                f"{name} {word!r} of the predictions: choose {', '.join(_WORDS[name])}"
            )
    return Meaning(**given)  # pyright: ignore[reportArgumentType]


def said(path: Path, about: Mapping[str, Any], task: Task) -> Meaning:
    """What a file says; `about` is the description inside it, empty for a .npy.

    Raises:
        InputError: it says that it holds something else, or something unknown.
    """
    about = about or (_beside(path, task) if path.suffix.lower() == ".npy" else {})
    kind = about.get("kind", task)
    if kind != task:
        raise InputError(f"{path}: the file says that it holds {kind}, not {task}")
    known = {name: about.get(name) for name in _OF[task]}
    for name, word in known.items():
        if word is not None and word not in _WORDS[name]:
            raise InputError(
                f"{path}: {name} {word!r} in the file's description; "
                f"expected {', '.join(_WORDS[name])}"
            )
    return Meaning(**known)


def agree(declared: Meaning, in_file: Meaning, where: object) -> Meaning:
    """Both together (raises InputError where they contradict each other)."""
    together = {}
    for item in fields(Meaning):
        mine, its = getattr(declared, item.name), getattr(in_file, item.name)
        if None not in (mine, its) and mine != its:
            raise InputError(
                f"{where}: the file says {item.name} {its}, but {mine} is declared or said by "
                "the folder's first file; judge them apart, with what is true of each"
            )
        together[item.name] = its if mine is None else mine
    return Meaning(**together)


def whole(known: Meaning, task: Task, folder: Path) -> Meaning:
    """With the default quantity; normals without a frame cannot be judged (SettingError)."""
    if task == "depth":
        return replace(known, quantity=known.quantity or "depth")
    if known.frame is None:
        raise SettingError(
            f"{folder}: the files do not say the frame of their normals; declare it with --frame "
            f"({', '.join(get_args(Frame))}); `monostep data identify-frame {folder}` may find it"
        )
    return known


def _beside(path: Path, task: Task) -> Mapping[str, Any]:
    """The description that lies beside a .npy of ours: its own, or the record of its image."""
    own, stem = path.with_suffix(".json"), path.stem.removesuffix(f".{task}")
    is_ours = stem != path.stem
    if own.is_file():
        with nullcontext() if is_ours else suppress(InputError):  # a.json may be anybody's
            about = read_json(own)
            return about if is_ours or about.get("kind") in tuple(_OF) else {}
    known = record.read(path.with_name(naming.record(stem)), overwrite=True) if is_ours else None
    return known.maps[task].about if known is not None and task in known.maps else {}
