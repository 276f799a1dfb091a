import joint_models
import micro_models
import pytest
import torch
from drawn_scenes import render

from monostep.checkpoints import folder
from monostep.errors import SettingError
from monostep.recipes import recipe
from monostep.training.batch import Batch
from monostep.training.fitting import fit, parts
from monostep.training.geometry_task import GeometryTask
from monostep.training.overriding import override
from monostep.training.step import DepthTask

SIZE = (24, 24)
ONE = torch.zeros(1, dtype=torch.long)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return micro_models.write(tmp_path_factory.mktemp("start") / "model")


def _task(start, *settings):
    config = override(recipe("nano-depth"), ["precision=fp32", *settings])
    model, _ = folder.load(start)
    task = DepthTask(model.train(), config)
    return task, fit(task, model, config)


def _batch():
    return Batch(samples=render(1, [0], SIZE), step=0, seeds=(1,), names=("a",))


def _gradients(task):
    loss = task.loss(_batch()).mean()
    loss.backward()
    return loss, {name: p.grad for name, p in task.trained.named_parameters()}


def test_without_settings_nothing_changes(start):
    task, frozen = _task(start)
    assert frozen is None
    assert not task.trained.state_dict().keys() ^ folder.load(start)[0].unet.state_dict().keys()


def test_recomputing_everything_changes_no_bit(start):
    loss, gradients = _gradients(_task(start)[0])
    again, others = _gradients(_task(start, "recompute=all")[0])
    assert torch.equal(loss, again)
    assert all(torch.equal(gradients[name], others[name]) for name in gradients)


def test_cached_latents_change_no_bit(start, tmp_path):
    loss, gradients = _gradients(_task(start)[0])
    for _ in range(2):  # computed, then found
        task, _ = _task(start, f"latents={tmp_path}")
        again, others = _gradients(task)
        assert torch.equal(loss, again)
        assert all(torch.equal(gradients[name], others[name]) for name in gradients)
    assert task.model.encode.found == 1


def test_adapters_alone_learn(start):
    task, _ = _task(start, "rank=2")
    learning = [name for name, p in task.trained.named_parameters() if p.requires_grad]
    assert learning
    assert all(name.endswith((".a", ".b")) for name in learning)


def test_a_frozen_autoencoder_in_fewer_bits_gives_nearly_the_same_loss(start):
    loss, _ = _gradients(_task(start)[0])
    task, frozen = _task(start, "frozen_precision=bf16")
    assert frozen is not None
    again, gradients = _gradients(task)
    assert again.item() == pytest.approx(loss.item(), rel=0.05)
    assert all(gradient.dtype == torch.float32 for gradient in gradients.values())


@pytest.mark.parametrize("learns", [False, True])
def test_an_image_encoder_is_cast_unless_it_learns(learns):
    eyes = [f"train_image_encoder={str(learns).lower()}", "recompute=none", "phases=[[0,16,16,1]]"]
    config = override(recipe("nano-geometry"), ["frozen_precision=bf16", *eyes])
    model = joint_models.model()
    before = {k: v.clone() for k, v in model.image_encoder.state_dict().items()}
    frozen = fit(GeometryTask(model, config, frame="opencv"), model, config)

    def kept():
        own = model.image_encoder.state_dict()
        return all(own[k].dtype == v.dtype and torch.equal(own[k], v) for k, v in before.items())

    assert {p.dtype for p in model.vae.parameters()} == {torch.bfloat16}
    expected = torch.float32 if learns else torch.bfloat16
    assert {p.dtype for p in model.image_encoder.parameters()} == {expected}
    assert model.context(torch.rand(1, 3, model.side, model.side), ONE).dtype == torch.float32
    assert kept() == learns
    with frozen.full():
        assert kept()


def test_casting_an_autoencoder_that_learns_is_refused(start):
    with pytest.raises(SettingError, match="frozen_precision bf16: the autoencoder learns"):
        _task(start, "frozen_precision=bf16", "train_decoder=true")


def test_the_encoder_stays_cacheable_when_only_the_decoder_learns(start, tmp_path):
    task, _ = _task(start, "train_decoder=true", f"latents={tmp_path}")
    _gradients(task)
    assert task.model.encode.computed == 1


def test_a_container_is_not_called_what_it_holds_is(start):
    task, _ = _task(start, "train_decoder=true")
    assert task.model.unet in parts(task.trained)
    alone, _ = _task(start)
    assert list(parts(alone.trained)) == [alone.model.unet]
