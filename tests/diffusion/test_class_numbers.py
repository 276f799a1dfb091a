import math

import pytest
import torch

from monostep.diffusion.class_numbers import OF_BOTH, OF_GEOMETRY, class_numbers
from monostep.geometry.domain import DOMAINS

S, C = 0.841471, 0.540302  # sin 1, cos 1
DEPTH, NORMALS = [0, S, 1, C], [S, 0, C, 1]
TAKEN = {
    "indoor": [S, 0, 0, C, 1, 1],
    "outdoor": [0, S, 0, 1, C, 1],
    "object": [0, 0, S, 1, 1, C],
}


@pytest.mark.parametrize("name", TAKEN)
def test_they_are_the_published_numbers(name):
    numbers = class_numbers(torch.tensor([DOMAINS.index(name)]))
    expected = torch.tensor([DEPTH + TAKEN[name], NORMALS + TAKEN[name]])
    torch.testing.assert_close(numbers, expected, rtol=0, atol=5e-7)


def test_a_batch_has_all_depths_first_each_with_its_own_domain():
    numbers = class_numbers(torch.tensor([2, 0, 1]))
    assert numbers.shape == (6, OF_BOTH)
    rows = [class_numbers(torch.tensor([domain])) for domain in (2, 0, 1)]
    assert torch.equal(numbers, torch.cat([row[i : i + 1] for i in (0, 1) for row in rows]))


def test_the_second_version_is_told_what_to_paint_alone():
    domain = torch.tensor([0, 2])
    numbers = class_numbers(domain, OF_GEOMETRY)
    expected = torch.tensor([DEPTH, DEPTH, NORMALS, NORMALS])
    torch.testing.assert_close(numbers, expected, rtol=0, atol=5e-7)
    assert torch.equal(class_numbers(domain)[:, :OF_GEOMETRY], numbers)


def test_sines_and_cosines_belong_together():
    numbers = class_numbers(torch.tensor([0, 1, 2])).double()
    for sines, cosines in ((slice(0, 2), slice(2, 4)), (slice(4, 7), slice(7, 10))):
        squares = numbers[:, sines] ** 2 + numbers[:, cosines] ** 2
        torch.testing.assert_close(squares, torch.ones_like(squares), rtol=0, atol=1e-6)
        angles = torch.atan2(numbers[:, sines], numbers[:, cosines])
        torch.testing.assert_close(angles.sum(dim=1), torch.ones(6).double(), rtol=0, atol=1e-6)
    assert math.isclose(numbers.max(), 1)
