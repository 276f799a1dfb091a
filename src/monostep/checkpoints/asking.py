"""What may be asked of a model when it is opened: no other task or frame than its card's own."""

import dataclasses

from monostep.checkpoints.card import ALLOWED, Card
from monostep.errors import SettingError
from monostep.geometry import frames


def check_asked(card: Card, *, task: str | None, frame: str | None) -> None:
    """Raise SettingError for a task or frame other than the card's (of a joint model, either)."""
    if task not in (None, card.task, *card.maps):
        raise other_task(task, card.name, card.task)
    if frame is None:
        return
    if card.task == "depth":
        raise SettingError(f"frame {frame!r}: {card.name} predicts depth; leave frame out")
    if frames.check(frame) != card.frame:
        raise other_frame(frame, card.name, str(card.frame))


def check_whole(card: Card, task: str | None) -> None:
    """Raise SettingError for one map of a joint model where its maps are not told apart."""
    if task is not None and card.task == "geometry" != task:
        raise SettingError(
            f"task {task!r}: {card.name} predicts depth and normals together; leave task out and "
            f"take .{task} of the result"
        )


def attending(card: Card, attention: str | None) -> Card:
    """The card of a joint model with another attention; None leaves it as it is.

    Raises:
        SettingError: neither "joint" nor "separate", or not a joint model.
    """
    if attention is None:
        return card
    if attention not in (choices := [name for name in ALLOWED["attention"] if name]):
        raise SettingError(f"attention {attention!r}: choose {' or '.join(choices)}")
    if card.task != "geometry":
        raise SettingError(
            f"attention {attention!r}: {card.name} predicts {card.task} alone; leave attention out"
        )
    return dataclasses.replace(card, attention=attention)


def other_task(asked: str, name: str, own: str) -> SettingError:
    """That a model of this name predicts something else."""
    what = "depth and normals" if own == "geometry" else own
    return SettingError(f"task {asked!r}: {name} predicts {what}; leave task out")


def other_frame(asked: str, name: str, own: str) -> SettingError:
    """That the normals of a model of this name are in another frame."""
    return SettingError(
        f"frame {asked!r}: the normals of {name} are in {own}; leave frame out, results can be "
        "converted"
    )
