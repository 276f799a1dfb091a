from pathlib import Path

import numpy as np
import pytest

from monostep.errors import CheckpointError
from monostep.export import comparison
from monostep.export.comparison import Outcome


@pytest.mark.parametrize("resolution", [0, 24, 128])
def test_pictures_are_reduced_enlarged_and_left_alone(resolution):
    shown = comparison.pictures(resolution)
    side = resolution or comparison.NATIVE
    longest = [max(picture.shape[:2]) for picture in shown]
    assert longest[0] > side > longest[1]
    assert longest[2] == side
    assert shown[0].shape[0] < shown[0].shape[1]
    assert shown[1].shape[0] > shown[1].shape[1]
    assert all(picture.dtype == np.uint8 and picture.std() > 5 for picture in shown)


def test_the_largest_difference_counts():
    shown = [np.zeros((2, 3, 3), dtype=np.uint8)]
    said = [np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)]

    def run(images):
        maps = np.stack(said)
        maps[0, 1, 1] += 0.25 if (images == 0).all() else 9
        return (maps, np.stack(said))

    outcome, other = comparison.compare(run, shown, [{"depth": said[0], "normals": said[0]}])
    assert (outcome.kind, other.kind, other.difference) == ("depth", "normals", 0)
    assert outcome.size == (2, 3)
    assert outcome.difference == pytest.approx(0.25)
    assert outcome.spread == pytest.approx(said[0].std())


@pytest.mark.parametrize("difference", [2e-3, float("nan")])
def test_too_much_is_refused_with_the_numbers(difference):
    outcomes = [
        Outcome(kind="depth", size=(3, 4), difference=d, spread=0.2) for d in (1e-6, difference)
    ]
    with pytest.raises(
        CheckpointError, match=f"a.onnx: not written.*depth 3x4: 1.0e-06.*{difference:.1e}"
    ):
        comparison.check(Path("a.onnx"), outcomes)


def test_little_is_not():
    comparison.check(
        Path("a.onnx"), [Outcome(kind="depth", size=(3, 4), difference=9e-4, spread=0.2)]
    )
