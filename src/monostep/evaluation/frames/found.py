"""What measurements of several images say together of the frame of their normals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from monostep.geometry import frame_agreement, frame_guess
from monostep.geometry.frame_agreement import Agreement
from monostep.geometry.frame_guess import ANGLE, AWAY, Guess, Signs
from monostep.geometry.frames import Frame

Evidence: TypeAlias = Literal["truth", "depth", "camera"]
Confidence: TypeAlias = Literal["clear", "likely", "none"]

USUAL = 0.2  # mean correlation from which surfaces turn inwards as in most scenes
_GAIN = 0.05  # mean cosine by which swapped axes must be better
_AXES = "xyz"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One image: what the camera says, and the reference if there is one."""

    away: dict[Signs, float]  # shares that face away; see `frame_facing`
    outward: tuple[float, float]
    angles: dict[Signs, float] | None = None  # mean, in degrees
    agreement: Agreement | None = None


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found out, and from what."""

    evidence: Evidence
    images: int
    guess: Guess
    outward: tuple[float, float] = (0.0, 0.0)  # as read the best way; no matter to a reference
    doubt: str | None = None  # why the best way is not to be trusted
    caveat: str | None = None  # why it is only the likelier of two
    said: tuple[str, ...] = ()  # frames that the files name themselves
    coded: int = 0  # files that store 0..1
    problems: Mapping[str, str] = field(default_factory=dict)  # files that say nothing, and why

    @property
    def signs(self) -> Signs:
        """The likeliest way to read the axes."""
        x, y, z = self.guess.signs
        across, down = (
            -1 if self._as_usual(axis) and self.outward[axis] > 0 else 1 for axis in (0, 1)
        )
        return (x * across, y * down, z)

    @property
    def frame(self) -> Frame | None:
        """The frame, if it can be told and has a name."""
        return frame_guess.name(self.signs) if self.confidence != "none" else None

    @property
    def unknown(self) -> tuple[str, ...]:
        """The axes whose sign cannot be told."""
        return tuple(_AXES[axis] for axis in self.guess.unsure if not self._as_usual(axis))

    @property
    def confidence(self) -> Confidence:
        """likely: the look of most scenes decided an axis; none: nothing decided one."""
        if self.unknown or self.doubt:
            return "none"
        return "likely" if self.guess.unsure or self.caveat else "clear"

    def values(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "frame": self.frame,
            "axes": frame_guess.directions(self.signs) if self.confidence != "none" else None,
            "confidence": self.confidence,
            "evidence": self.evidence,
            "images": self.images,
            "unknown_axes": list(self.unknown),
            "doubt": self.doubt,
            "caveat": self.caveat,
            "said_by_files": list(self.said),
            "files_in_0_to_1": self.coded,
            "measure": self.guess.scale.unit,
            "ways": [
                {
                    "frame": frame_guess.name(way),
                    "axes": frame_guess.directions(way),
                    "value": value,
                }
                for way, value in sorted(self.guess.scores.items(), key=lambda each: each[1])
            ],
            "problems": dict(self.problems),
        }

    def _as_usual(self, axis: int) -> bool:
        """Whether only the look of most scenes decides an axis, and it does."""
        unsure = self.guess.unsure
        return axis in unsure and 2 not in unsure and abs(self.outward[axis]) >= USUAL


def conclude(
    evidence: Evidence,
    measured: Sequence[Measured],
    *,
    said: Sequence[str] = (),
    coded: int = 0,
    problems: Mapping[str, str] | None = None,
) -> Found:
    """All images together, each counting the same; at least one."""
    by_camera = Guess(scores=frame_guess.mean([each.away for each in measured]), scale=AWAY)
    angles = [each.angles for each in measured if each.angles is not None]
    guess = Guess(scores=frame_guess.mean(angles), scale=ANGLE) if angles else by_camera
    agreements = [each.agreement for each in measured if each.agreement is not None]
    return Found(
        evidence=evidence,
        images=len(measured),
        guess=guess,
        outward=(0.0, 0.0) if angles else _outward(measured, guess.signs),
        doubt=_doubt(evidence, guess, by_camera, agreements),
        said=tuple(sorted(said)),
        coded=coded,
        problems=problems or {},
    )


def settle(as_depth: Found, as_disparity: Found) -> Found:
    """One of two readings of the same maps, of which nobody says what they hold.

    Depth, unless disparity fits better and leads to other signs that nothing speaks against. Where
    both lead to signs of their own, neither is more than likely.
    """
    readings = {"depth": as_depth, "disparity": as_disparity}
    rivals = [found for found in readings.values() if found.confidence != "none"]
    if len(rivals) < 2 or as_depth.signs == as_disparity.signs:
        return as_depth
    best = min(readings, key=lambda held: readings[held].guess.scores[readings[held].guess.signs])
    caveat = (
        f"the depth maps were taken for {best}, which fits better; say --quantity if you know it"
    )
    return replace(readings[best], caveat=caveat)


def _outward(measured: Sequence[Measured], signs: Signs) -> tuple[float, float]:
    across, down = (
        signs[axis] * sum(each.outward[axis] for each in measured) / len(measured)
        for axis in (0, 1)
    )
    return across, down


def _doubt(
    evidence: Evidence, guess: Guess, by_camera: Guess, agreements: list[Agreement]
) -> str | None:
    swapped = _swapped(agreements)
    if swapped is not None:
        return f"axes are swapped: the true x, y, z are the stored {swapped}"
    against = [
        _AXES[axis]
        for axis in range(3)
        if axis not in by_camera.unsure and by_camera.signs[axis] != guess.signs[axis]
    ]
    if evidence == "depth" and not guess.unsure and against:
        return (
            f"read so, {' and '.join(against)} would make surfaces face away from the camera; do "
            "the depth maps hold disparity? then say --quantity disparity"
        )
    if len(guess.unsure) == 3:
        best = guess.scores[guess.signs]
        return f"no way fits: {guess.scale.unit} {best:.3g} at best; are they in camera space?"
    return None


def _swapped(agreements: list[Agreement]) -> str | None:
    """Where the true axes are, if swapping some fits clearly better than flipping alone."""
    if not agreements:
        return None
    together = frame_agreement.together(agreements)
    cosine, axes, signs = together.best()
    plain = max(together.cosine((0, 1, 2), way) for way in frame_guess.EVERY)
    if axes == (0, 1, 2) or not frame_agreement.is_better(cosine, plain, _GAIN):
        return None
    return frame_agreement.taken_from(axes, signs)
