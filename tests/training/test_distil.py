import pytest
import tiny_models
import torch
from drawn_scenes import render

from monostep.geometry import decode
from monostep.recipes import recipe
from monostep.training.batch import Batch
from monostep.training.distil import (
    CodecTask,
    StudentTask,
    depth_difference,
    normals_difference,
    slopes,
)
from monostep.training.overriding import override
from monostep.training.student import new_student
from monostep.training.teacher import open_teacher

SMALL = ("width=8", "encoder_blocks=[0,0,1]", "decoder_blocks=[1,0,0]", "phases=[[0,16,16,1]]")
FOLDERS = {"depth": tiny_models.depth_folder, "normals": tiny_models.normals_folder}


@pytest.fixture(scope="module")
def samples():
    return render(1, range(3), (16, 16))


def _batch(samples):
    count = len(samples)
    return Batch(samples=samples, step=0, seeds=tuple(range(count)), names=("a",) * count)


@pytest.fixture(params=FOLDERS)
def teacher(request, tmp_path):
    teacher = open_teacher(str(FOLDERS[request.param](tmp_path)))
    # A random decoder saturates; around the middle its maps have something to be learned.
    torch.nn.init.constant_(teacher.network.vae.decoder.layers[-1].bias, 0.5)
    return teacher


def _codec_task(teacher):
    torch.manual_seed(0)
    config = override(recipe("distil-decoder"), SMALL)
    return CodecTask(new_student(config, teacher), teacher, config)


def _student_task(teacher):
    return StudentTask(_codec_task(teacher).model, teacher, recipe("distil-finetune"))


def test_depth_is_compared_as_the_mean_of_the_channels_only():
    student, teacher = torch.rand(2, 3, 4, 5) - 0.5, torch.rand(2, 3, 4, 5) - 0.5
    shuffled = student[:, [1, 2, 0]]
    difference = depth_difference(student, teacher, near=0.1)
    torch.testing.assert_close(depth_difference(shuffled, teacher, near=0.1), difference)
    mean = student.mean(dim=1, keepdim=True)  # what a decoder of one channel says
    torch.testing.assert_close(depth_difference(mean, teacher, near=0.1), difference)


def test_a_difference_of_depth_is_a_share_of_the_teachers_depth():
    teacher = torch.tensor([-0.8, 0.6])[None, None, None].expand(1, 3, 1, 2)  # 0.1 and 0.8
    difference = depth_difference(teacher + 0.2, teacher, near=0.1)
    torch.testing.assert_close(difference[0, 0, 0], torch.tensor([0.1 / 0.2, 0.1 / 0.9]))


def test_the_teachers_depth_is_clamped_as_in_use():
    teacher, student = torch.full((1, 3, 2, 2), 1.4), torch.ones(1, 3, 2, 2)
    assert depth_difference(student, teacher, near=0.1).abs().max() == 0
    torch.testing.assert_close(decode.depth(teacher), decode.depth(student))


def test_normals_are_compared_by_direction_only():
    normals = torch.rand(2, 3, 4, 5) - 0.5
    assert normals_difference(3 * normals, normals).abs().max() < 1e-4
    assert normals_difference(-normals, normals).square().sum(dim=1).sub(4).abs().max() < 1e-3


def test_slopes_see_edges_and_no_shift():
    step = torch.zeros(1, 1, 4, 4)
    assert slopes(step + 3)[0] == 0
    step[..., 2:] = 1
    assert slopes(step)[0] == pytest.approx(1 / 3)
    assert slopes(step.mT)[0] == pytest.approx(1 / 3)


def test_a_student_that_is_the_teacher_has_nothing_to_learn(teacher, samples):
    task = StudentTask(teacher.network, teacher, recipe("distil-finetune"))
    if teacher.card.task == "normals":
        assert task.loss(_batch(samples)).max() == 0
    assert task.score(samples).max() <= 1e-6 + task.loss(_batch(samples)).max()
    codec = CodecTask(teacher.network, teacher, recipe("distil-decoder"))
    torch.testing.assert_close(codec.loss(_batch(samples)), task.loss(_batch(samples)))


def test_the_first_stage_moves_the_codec_and_nothing_else(teacher, samples):
    task = _codec_task(teacher)
    task.loss(_batch(samples)).mean().backward()
    assert all(parameter.grad is not None for parameter in task.trained.parameters())
    assert all(parameter.grad is None for parameter in task.model.unet.parameters())
    assert all(parameter.grad is None for parameter in teacher.network.vae.parameters())


def test_the_second_stage_moves_encoder_unet_and_decoder(teacher, samples):
    task = _student_task(teacher)
    task.model.requires_grad_(requires_grad=True)
    task.loss(_batch(samples)).mean().backward()
    for part in (task.model.vae.encoder, task.model.unet, task.model.vae.decoder):
        gradients = [parameter.grad for parameter in part.parameters()]
        assert all(gradient is not None for gradient in gradients)
        assert any(gradient.abs().sum() > 0 for gradient in gradients)


@pytest.mark.slow
@pytest.mark.parametrize("make", [_codec_task, _student_task])
def test_a_few_steps_on_one_batch_bring_the_student_nearer(make, teacher, samples):
    task = make(teacher)
    optimiser = torch.optim.AdamW(task.model.vae.parameters(), lr=3e-3)
    losses = []
    for _ in range(15):
        optimiser.zero_grad()
        loss = task.loss(_batch(samples))
        assert loss.shape == task.score(samples).shape == (3,)
        loss.mean().backward()
        optimiser.step()
        losses.append(loss.mean().item())
    assert losses[-1] < 0.9 * losses[0]
