"""Pictures that go through the networks together, wherever among the inputs they are."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass

from monostep.runner.outputs import Picture


@dataclass(frozen=True, kw_only=True)
class Window:
    """How long a picture may wait for others of its size, and how much may wait in all."""

    arrivals: int  # that come after it
    pixels: int = 48_000_000  # 144 MB at 8 bits; a single larger picture goes on alone


def grouped(
    arrivals: Iterable[Picture | None],
    *,
    key: Callable[[Picture], Hashable],
    most: Callable[[], int],
    window: Window,
) -> Iterator[list[Picture]]:
    """Lists of pictures with equal keys, each picture once.

    A list is given out when it has `most()` members. The list that began first is given out when
    its first picture has waited through the window, or while too many pixels wait.

    Args:
        arrivals: pictures; None for an input that needs no network, which counts for waiting only.
        key: of pictures that may share a batch.
        most: how many may; asked each time, since memory may turn out too small.
        window: bounds of what waits.
    """
    waiting: dict[Hashable, list[Picture]] = {}  # in the order in which the lists began
    began: dict[Hashable, int] = {}
    for now, picture in enumerate(arrivals):
        if picture is not None:
            kind = key(picture)
            began.setdefault(kind, now)
            waiting.setdefault(kind, []).append(picture)
            if len(waiting[kind]) >= most():
                del began[kind]
                yield waiting.pop(kind)
        while waiting and (
            now - next(iter(began.values())) >= window.arrivals or _pixels(waiting) > window.pixels
        ):
            oldest = next(iter(waiting))
            del began[oldest]
            yield waiting.pop(oldest)
    yield from waiting.values()


def _pixels(waiting: dict[Hashable, list[Picture]]) -> int:
    return sum(picture.pixels for pictures in waiting.values() for picture in pictures)
