import dataclasses

import paired_joint
import pytest
import torch
from torch.nn import functional as F

from monostep.errors import SettingError
from monostep.geometry import decode
from monostep.recipes.geometry import geowizard_e2e
from monostep.training.geometry_task import GeometryTask
from monostep.training.joint_task import split


def _task(model=None, **settings):
    config = dataclasses.replace(geowizard_e2e(), **settings)
    return GeometryTask(model or paired_joint.model(), config, frame="opencv")


def test_the_first_half_is_depth_and_the_second_normals():
    decoded = torch.rand(6, 3, 4, 5) * 2 - 1
    depth, normals = split(decoded)
    assert torch.equal(depth, decode.depth(decoded[:3]))
    assert torch.equal(normals, decode.normals(decoded[3:]))


def test_the_network_reads_the_squashed_image_in_plain_colours():
    model = paired_joint.model()
    task, samples = _task(model), paired_joint.batch().samples
    square = F.interpolate(samples.image, (8, 8), mode="bicubic", antialias=True)
    with torch.no_grad():
        found = task.context(samples)
        assert torch.equal(found, model.image_encoder(square)[:, None])
        brighter = task.context(dataclasses.replace(samples, image=samples.image * 0.5))
    assert not torch.equal(found, brighter)


def test_words_are_those_of_each_images_domain():
    import joint_models

    model = joint_models.model(words=True)
    samples = paired_joint.batch().samples
    found = _task(model, phases=((0.0, 16, 16, 1),)).context(samples)
    assert torch.equal(found, model.prompt[list(paired_joint.DOMAINS)])


def test_sizes_and_inputs_that_do_not_fit_are_refused():
    with pytest.raises(SettingError, match="is no multiple of 2"):
        _task(phases=((0.0, 25, 16, 1),))
    with pytest.raises(SettingError, match="unknown normals frame"):
        GeometryTask(paired_joint.model(), geowizard_e2e(), frame="rdf")
