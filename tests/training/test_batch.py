import torch
from numbered import Numbered

from monostep.training.batch import Batch


def _batch():
    samples = Numbered(2).fetch([0, 1], (2, 2))
    return Batch(samples=samples, step=3, seeds=(5, 2**63 - 1), names=("n0", "n1"))


def test_random_numbers_belong_to_the_image_and_not_to_the_call():
    batch = _batch()
    draws = [torch.rand(3, generator=batch.generator(row)) for row in (0, 1, 0)]
    assert torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[1])


def test_moving_keeps_all_but_the_device():
    moved = _batch().to(torch.device("meta"))
    assert moved.samples.image.device.type == "meta"
    assert (moved.step, moved.seeds, moved.names) == (3, (5, 2**63 - 1), ("n0", "n1"))
