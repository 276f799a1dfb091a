import drawn_scenes
import pytest
import torch

from monostep.data.procedural import render
from monostep.data.samples import KINDS
from monostep.evaluation import procedural
from monostep.evaluation.protocol import Procedural

PROTOCOL = Procedural(images=5, height=12, width=16)


@pytest.fixture(scope="module")
def truths():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(procedural, "render", drawn_scenes.render)
        patch.setattr(procedural, "AT_ONCE", 2)
        return list(procedural.scenes(PROTOCOL))


def test_scenes_come_in_small_batches_and_in_order(truths):
    assert [len(truth.names) for truth in truths] == [2, 2, 1]
    names = [name for truth in truths for name in truth.names]
    assert names == ["000000", "000001", "000002", "000003", "000004"]


def test_they_are_the_scenes_of_the_seed_with_their_kinds(truths):
    samples = drawn_scenes.render(PROTOCOL.seed, range(5), (12, 16))
    torch.testing.assert_close(torch.cat([truth.image for truth in truths]), samples.image)
    torch.testing.assert_close(torch.cat([truth.depth_m for truth in truths]), samples.depth_m)
    assert [one for truth in truths for one in truth.strata] == [KINDS[k] for k in samples.kind]


def test_depth_is_judged_on_surfaces_within_the_cap_and_normals_on_all(truths):
    for truth in truths:
        assert truth.size == (12, 16)
        assert (truth.depth_m[truth.depth_valid] <= 80).all()
        assert (truth.depth_m[truth.depth_valid] > 0).all()
        left_out = truth.normals_valid & ~truth.depth_valid
        assert (truth.depth_m[left_out] > 80).all()
        length = torch.linalg.vector_norm(truth.normals, dim=1)
        torch.testing.assert_close(
            length[truth.normals_valid], torch.ones(int(truth.normals_valid.sum()))
        )


def test_the_renderer_is_the_one_that_draws_training_scenes():
    (truth,) = procedural.scenes(Procedural(images=1, height=4, width=4))
    torch.testing.assert_close(truth.image, render(PROTOCOL.seed, [0], (4, 4)).image)
