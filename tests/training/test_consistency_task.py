import copy
import dataclasses

import paired_models
import pytest
import torch
from diffusers_twin import diffusers
from paired_models import SCALE, SEEDS, assert_same_gradients, gradients

from monostep.checkpoints import folder
from monostep.checkpoints.card import Card
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.errors import SettingError
from monostep.recipes.marigold import marigold_lcm
from monostep.training.beginning import Beginning
from monostep.training.consistency_task import Target, begin_distillation, consistency_task
from monostep.training.task import carried
from monostep.training.teacher import Teacher
from monostep.training.truth_config import TruthConfig

CARDS = {
    "depth": Card(
        name="stage-1", task="depth", quantity="depth", invariance="affine", family="diffusion"
    ),
    "normals": Card(name="stage-1", task="normals", frame="opengl", family="diffusion"),
}


def _teacher(kind="depth", model=None):
    network = model or paired_models.model()
    for parameter in network.parameters():
        parameter.requires_grad = False
    return Teacher(network=network, card=CARDS[kind])


def _task(kind="depth", *, model=None, steps=1, **settings):
    """A task whose student is a copy of its teacher."""
    teacher = _teacher(kind, model)
    network = teacher.network
    student = LatentDiffusion(
        unet=copy.deepcopy(network.unet),
        autoencoder=network.vae,
        prompt=network.prompt,
        schedule=dataclasses.replace(network.schedule, sampler="lcm"),
    ).to(network.prompt.dtype)
    depth = dataclasses.replace(marigold_lcm(), sky_weight=TruthConfig.sky_weight)
    config = dataclasses.replace(depth, task=kind, validation_steps=steps, **settings)
    return consistency_task(Beginning(model=student, card=CARDS[kind]), teacher, config)


# laws


@pytest.mark.parametrize("kind", CARDS)
def test_the_gradient_reaches_the_student_alone(kind):
    task = _task(kind)
    task.loss(paired_models.batch()).mean().backward()
    assert task.trained is task.model.unet
    for name, parameter in task.model.unet.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
    frozen = [task.teacher, task.target, task.model.vae]
    assert all(p.grad is None for module in frozen for p in module.parameters())
    assert not any(p.requires_grad for module in frozen for p in module.parameters())


@pytest.mark.parametrize("skip", [1, 10, 49])
def test_where_all_data_is_one_point_the_target_is_that_point(skip):
    """An exact teacher and an exact target agree on the end of every trajectory."""
    task = _task(skip=skip)
    batch = paired_models.batch(seeds=(1, 4))
    point, _ = task.truth(batch.samples)
    schedule = task.model.schedule

    def exact(seen, time, _prompt):
        alpha_bar = schedule.alpha_bar[time][:, None, None, None]
        signal, rest = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
        return signal * (seen[:, 4:] - signal * point) / rest - rest * point

    for unet in (task.teacher.unet, task.target.network, task.model.unet):
        unet.forward = exact
    goals = []
    goal = task._goal
    task._goal = lambda *inputs: (goals.append((inputs[3], goal(*inputs))), goals[-1][1])[1]
    loss = task.loss(batch)
    before, found = goals[0]
    above = before > 0  # at t = 0 the target is the latent itself, which has a little noise
    torch.testing.assert_close(found[above], point[above], rtol=1e-3, atol=1e-3)
    if skip == 1:
        assert above.all()
        assert loss.max() < 1e-3


def test_below_the_grid_the_target_is_the_teachers_latent_itself():
    task = _task(skip=50)
    task.target.network.forward = lambda seen, _t, _p: 1e3 * torch.ones_like(seen[:, 4:])
    assert task.loss(paired_models.batch()).max() < 10


def test_seeds_decide_everything_and_no_image_sees_the_others():
    task = _task()
    batch = paired_models.batch()
    torch.manual_seed(1)
    loss = task.loss(batch)
    torch.manual_seed(2)
    assert torch.equal(task.loss(batch), loss)
    assert not torch.equal(task.loss(paired_models.batch(seeds=(11, 13))), loss)
    for row in range(2):
        alone = task.loss(paired_models.rows(batch, [row]))
        torch.testing.assert_close(alone[0], loss[row], rtol=1e-3, atol=1e-5)


def test_the_target_follows_once_a_step():
    learning = torch.nn.Linear(2, 2)
    target = Target(learning)
    start = target.network.weight.clone()
    with torch.no_grad():
        learning.weight.add_(1)
    target.follow(learning, step=0, decay=0.9)
    assert torch.equal(target.network.weight, start)  # the run's first step has nothing to follow
    for _ in range(3):  # micro-batches of one step
        target.follow(learning, step=1, decay=0.9)
    torch.testing.assert_close(target.network.weight, start + 0.1)
    target.follow(learning, step=2, decay=0.9)
    torch.testing.assert_close(target.network.weight, start + 0.19)
    assert not any(parameter.requires_grad for parameter in target.parameters())


def _train(task, optimiser, steps):
    losses = []
    for step in steps:
        for half in range(2):
            seeds = (100 * step + 2 * half, 100 * step + 2 * half + 1)
            loss = task.loss(paired_models.batch(step=step, seeds=seeds)).mean()
            loss.backward()
            losses.append(loss.item())
        optimiser.step()
        optimiser.zero_grad()
    return losses


def test_a_resume_with_the_carried_target_continues_bit_for_bit():
    whole = _task()
    optimiser = torch.optim.SGD(whole.trained.parameters(), lr=0.1)
    _train(whole, optimiser, range(3))
    stored = copy.deepcopy(whole.trained.state_dict())
    kept = {name: copy.deepcopy(m.state_dict()) for name, m in carried(whole).items()}
    expected = _train(whole, optimiser, range(3, 6))
    resumed = _task()
    resumed.trained.load_state_dict(stored)
    for name, module in carried(resumed).items():
        module.load_state_dict(kept[name])
    again = torch.optim.SGD(resumed.trained.parameters(), lr=0.1)
    assert _train(resumed, again, range(3, 6)) == expected
    found = resumed.target.state_dict()
    for name, tensor in whole.target.state_dict().items():
        assert torch.equal(found[name], tensor), name


@pytest.mark.parametrize("kind", CARDS)
@pytest.mark.parametrize("steps", [1, 4])
def test_the_score_is_of_the_prediction_that_the_card_asks_for(kind, steps):
    task = _task(kind, steps=steps)
    asked = []
    output = task.model.output
    task.model.output = lambda x, z, t: (asked.append(t), output(x, z, t))[1]
    score = task.score(paired_models.batch().samples)
    assert asked == {1: [999], 4: [999, 759, 499, 259]}[steps]
    assert torch.equal(task.score(paired_models.batch().samples), score)


def test_half_precision_is_for_products_only():
    task, batch = _task(), paired_models.batch()
    exact = task.loss(batch)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = task.loss(batch)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, rtol=0.1, atol=0)


# agreement


class Plain:
    """The loss as a training script with diffusers would compute it."""

    def __init__(self, unet, vae, prompt):
        self.unet, self.teacher, self.target = (copy.deepcopy(unet) for _ in range(3))
        self.vae = vae
        self.context = prompt[None].repeat(2, 1, 1)
        self.ddim = diffusers.DDIMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"
        )
        self.lcm = diffusers.LCMScheduler()

    def latents(self, samples):
        rub = samples.normals.double() * torch.tensor([1.0, -1.0, -1.0])[:, None, None]
        facing = torch.tensor([0.0, 0.0, 1.0]).double()[:, None, None]
        pictures = samples.image * 2 - 1, torch.where(samples.valid[:, None], rub, facing)
        return [SCALE * self.vae.encode(p).latent_dist.mean.detach() for p in pictures]

    def clean_and_noise(self, network, z_x, z, t):
        seen = torch.cat([z_x, z], dim=1)
        out = network(seen, t, encoder_hidden_states=self.context).sample
        a = self.ddim.alphas_cumprod[t].double()[:, None, None, None]
        return a.sqrt() * z - (1 - a).sqrt() * out, a.sqrt() * out + (1 - a).sqrt() * z

    def end(self, network, z_x, z, t):
        clean, _ = self.clean_and_noise(network, z_x, z, t)
        scales = [self.lcm.get_scalings_for_boundary_condition_discrete(each) for each in t]
        skip, out = (torch.stack(each)[:, None, None, None] for each in zip(*scales, strict=True))
        return out * clean + skip * z

    def loss(self, samples, skip):
        z_x, z_y = self.latents(samples)
        generators = [torch.Generator().manual_seed(seed) for seed in SEEDS]
        index = [torch.randint(50, (), generator=g).item() for g in generators]
        noise = torch.stack([torch.randn(z_y.shape[1:], generator=g) for g in generators])
        time = torch.tensor([20 * k + 19 for k in index])
        before = torch.tensor([max(20 * (k - skip) + 19, 0) for k in index])
        z_t = self.ddim.add_noise(z_y, noise.double(), time)
        with torch.no_grad():
            z_s = self.ddim.add_noise(*self.clean_and_noise(self.teacher, z_x, z_t, time), before)
            goal = self.end(self.target, z_x, z_s, before)
        return (((self.end(self.unet, z_x, z_t, time) - goal) ** 2 + 1e-6).sqrt() - 1e-3).mean()


@pytest.mark.parametrize("skip", [1, 7])
def test_loss_and_every_gradient_are_those_of_a_plain_step(skip):
    ours, unet, vae = paired_models.pair()
    task, plain = _task("normals", model=ours, skip=skip), Plain(unet, vae, ours.prompt)
    torch.manual_seed(3)
    pairs = [(plain.unet, task.model.unet), (plain.target, task.target.network)]
    with torch.no_grad():  # teacher, student and target differ
        for their, our in pairs:
            for name, parameter in their.named_parameters():
                parameter.add_(0.03 * torch.randn_like(parameter))
                our.get_parameter(name).copy_(parameter)
    batch = paired_models.batch(dtype=torch.float64)
    loss = task.loss(batch).mean()
    loss.backward()
    expected = plain.loss(batch.samples, skip)
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert_same_gradients(gradients(task.model.unet), gradients(plain.unet))


# teacher and student


@pytest.fixture
def run(tmp_path):
    """A run of stage 1 that left its best model."""
    folder.save(paired_models.model(), CARDS["depth"], tmp_path / "stage-1" / "model")
    return str(tmp_path / "stage-1")


@pytest.mark.parametrize("inside", ["", "/model"])
def test_the_student_begins_as_the_teacher_and_can_be_saved_and_run_in_few_steps(
    inside, run, tmp_path
):
    config = dataclasses.replace(marigold_lcm(), teacher=run + inside, validation_steps=2)
    beginning, teacher = begin_distillation(config)
    begun = beginning.model.unet.state_dict()
    for name, tensor in teacher.network.unet.state_dict().items():
        assert torch.equal(begun[name], tensor)
    assert beginning.model.unet is not teacher.network.unet
    folder.save(beginning.model, beginning.card, tmp_path / "lcm")
    opened, card = folder.load(tmp_path / "lcm")
    assert (card.family, card.steps, card.spacing, card.noise, card.last) == (
        "consistency",
        2,
        "lcm",
        "gaussian",
        "clean",
    )
    assert card.source["teacher"] == "stage-1"
    assert opened.schedule.sampler == "lcm"
    task = consistency_task(beginning, teacher, config)
    assert torch.isfinite(task.loss(paired_models.batch())).all()
    assert task.score(paired_models.batch().samples).shape == (2,)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"task": "normals", "sky_weight": 0.1}, "its task is depth, marigold-lcm distils normals"),
        ({"quantity": "disparity"}, "its quantity is depth, marigold-lcm distils disparity"),
        ({"coarse": 1001}, "coarse 1001: the teacher has 1000 timesteps"),
        ({"teacher": "nano-depth"}, "its family is end-to-end, marigold-lcm distils diffusion"),
    ],
)
def test_teachers_of_another_kind_or_length_are_refused(settings, reason, run):
    with pytest.raises(SettingError, match=reason):
        begin_distillation(dataclasses.replace(marigold_lcm(), **{"teacher": run, **settings}))
