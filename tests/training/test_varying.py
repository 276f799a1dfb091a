import dataclasses

import paired_models
import pytest
import torch

from monostep.recipes import recipe
from monostep.training.latent_task import LatentDepthTask
from monostep.training.overriding import override
from monostep.training.step import DepthTask, NormalsTask
from monostep.training.varying import varied

# Blurs are shares of the height: of 24 rows they leave next to nothing.
ALL = ("jitter=1", "camera=1", "zoom=2")


def _config(*settings, of="nano-depth"):
    return override(recipe(of), settings)


def test_where_nothing_is_asked_the_batch_stays_itself():
    batch = paired_models.batch()
    assert varied(batch, _config()) is batch


@pytest.mark.parametrize("change", ALL)
def test_an_image_is_changed_by_its_own_seed_alone(change):
    batch, config = paired_models.batch(seeds=(11, 12)), _config(change)
    changed = varied(batch, config).samples
    assert not torch.equal(changed.image, batch.samples.image)
    again = varied(paired_models.rows(batch, [1]), config).samples
    for name, values in vars(again).items():
        if values is not None:
            assert torch.equal(values[0], getattr(changed, name)[1]), name
    other = varied(dataclasses.replace(batch, seeds=(11, 13)), config).samples
    assert torch.equal(other.image[0], changed.image[0])
    assert not torch.equal(other.image[1], changed.image[1])


def test_only_a_closer_look_changes_the_truth():
    batch = paired_models.batch()
    changed = varied(batch, _config(*ALL[:-1])).samples
    for name in ("depth_m", "normals", "valid", "intrinsics"):
        assert torch.equal(getattr(changed, name), getattr(batch.samples, name))
    closer = varied(batch, _config(ALL[-1])).samples
    assert not torch.equal(closer.depth_m, batch.samples.depth_m)


@pytest.mark.parametrize("zoom", [1.0, 2.0])
@pytest.mark.parametrize(
    ("task", "name"),
    [
        (DepthTask, "nano-depth"),
        (NormalsTask, "nano-normals"),
        (LatentDepthTask, "latent-e2e"),
    ],
)
def test_what_is_learned_from_is_changed_and_what_is_measured_on_is_not(task, name, zoom):
    model, batch = paired_models.model(), paired_models.batch()
    still = task(model, _config("recompute=none", of=name))
    changed = task(model, _config("recompute=none", "jitter=1", f"zoom={zoom}", of=name))
    with torch.no_grad():
        assert not torch.equal(still.loss(batch), changed.loss(batch))
        assert torch.equal(still.score(batch.samples), changed.score(batch.samples))
