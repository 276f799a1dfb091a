import pytest
import torch

from monostep.data.check.reduced import reduce
from monostep.data.frame import Frame
from monostep.data.procedural import render


def _frame(samples):
    return Frame(
        image=samples.image[0],
        depth_m=samples.depth_m[0],
        normals=samples.normals[0],
        has_normals=True,
        valid=samples.valid[0],
        sky=samples.sky[0],
        confidence=None,
        intrinsics=samples.intrinsics[0],
    )


def test_small_images_stay_as_they_are():
    frame = _frame(render(1, [0], (60, 80)))
    small = reduce(frame)
    for name in ("image", "depth_m", "normals", "valid", "sky", "intrinsics"):
        assert torch.equal(getattr(small, name), getattr(frame, name))


@pytest.mark.parametrize(("size", "expected"), [((384, 512), (192, 256)), ((301, 770), (100, 256))])
def test_large_ones_come_to_about_256_and_their_camera_with_them(size, expected):
    frame = _frame(render(1, [2], size))
    small = reduce(frame)
    assert tuple(small.depth_m.shape) == expected
    assert tuple(small.image.shape[1:]) == expected
    step = round(max(size) / 256)
    # The pixel that is picked is seen along the same ray.
    for k in range(2):
        at = 7 * step + step // 2 + 0.5
        before = (at - frame.intrinsics[k, 2]) / frame.intrinsics[k, k]
        after = (7.5 - small.intrinsics[k, 2]) / small.intrinsics[k, k]
        assert float(after) == pytest.approx(float(before), abs=1e-5)
    assert small.depth_m[7, 7] == frame.depth_m[7 * step + step // 2, 7 * step + step // 2]
