import pytest
import torch
from constant_task import ALONE, ConstantTask
from numbered import Numbered, config, learned

from monostep.training import parallel, precision
from monostep.training.leaving import Leave
from monostep.training.optimiser import new_optimiser
from monostep.training.order import Pieces
from monostep.training.update import Updater


def _updater(task, *settings):
    every = config("warmup=0", *settings)
    return Updater(
        loss=parallel.spread(task, every, ALONE),
        optimiser=new_optimiser(task.trained.parameters(), every),
        scaler=precision.loss_scaler(every.precision, ALONE.device),
        config=every,
        world=ALONE,
    )


def _pieces(updater, step=0):
    with learned(Numbered(64)):
        data = Pieces(updater.config)
    count = updater.config.accumulate
    return [data.piece(number) for number in range(step * count, (step + 1) * count)]


def test_the_gradient_of_many_pieces_is_that_of_their_mean():
    task = ConstantTask()
    updater = _updater(task, "accumulate=4", "clip=1e9")
    pieces = _pieces(updater)
    mean = torch.stack([task.loss(piece).mean() for piece in pieces]).mean()
    (expected,) = torch.autograd.grad(mean, [task.trained.weight])
    taken = updater.take(0, pieces, leave=Leave())
    assert taken.loss == pytest.approx(mean.item(), rel=1e-6)
    assert taken.norm == pytest.approx(expected.norm().item(), rel=1e-6)
    assert taken.names == ()
    torch.testing.assert_close(task.trained.weight.grad, expected)


def test_a_step_moves_the_weight_and_the_next_begins_without_gradient():
    task = ConstantTask()
    updater = _updater(task)
    first = updater.take(0, _pieces(updater), leave=Leave())
    moved = task.trained.weight.item()
    assert moved > 0.25  # towards 1 at most brightnesses
    again = _updater(ConstantTask())
    again.loss.trained.weight.grad = torch.full((1, 1), 1e6)
    assert again.take(0, _pieces(again), leave=Leave()) == first


def test_long_gradients_are_cut_and_reported_as_they_were():
    task = ConstantTask(loss=100.0)
    updater = _updater(task, "clip=0.5")
    taken = updater.take(0, _pieces(updater), leave=Leave())
    assert taken.norm > 10
    assert task.trained.weight.grad.norm().item() == pytest.approx(0.5, rel=1e-5)


@pytest.mark.parametrize("wrong", ["nan", "endless"])
def test_a_step_that_is_not_finite_changes_nothing_and_names_its_images(wrong):
    task = ConstantTask(wrong=wrong)
    updater = _updater(task, "accumulate=2")
    updater.take(0, _pieces(updater), leave=Leave())
    weight = task.trained.weight.clone()
    moments = {k: v.clone() for k, v in updater.optimiser.state[task.trained.weight].items()}
    pieces, asked = _pieces(updater, 1), Leave()
    asked.asked = True
    taken = updater.take(1, pieces, leave=asked)
    assert taken.names == tuple(name for piece in pieces for name in piece.names)
    assert taken.leave
    assert torch.equal(task.trained.weight, weight)
    for name, moment in moments.items():
        assert torch.equal(updater.optimiser.state[task.trained.weight][name], moment)


def test_only_the_pieces_with_a_bad_loss_are_suspected():
    task = ConstantTask()
    updater = _updater(task, "accumulate=2")
    pieces = _pieces(updater)
    pieces[1].samples.image[0] = torch.inf
    assert updater.take(0, pieces, leave=Leave()).names == pieces[1].names


def test_a_gradient_that_is_not_finite_where_the_loss_is_suspects_every_image():
    task = ConstantTask()
    updater = _updater(task, "accumulate=2")
    task.trained.weight.register_hook(lambda gradient: gradient * torch.nan)
    weight, pieces = task.trained.weight.clone(), _pieces(updater)
    taken = updater.take(0, pieces, leave=Leave())
    assert len(taken.names) == sum(len(piece.names) for piece in pieces)
    assert torch.equal(task.trained.weight, weight)


def test_too_large_for_half_precision_only_lowers_the_scale():
    task = ConstantTask()
    updater = _updater(task, "precision=fp16", "steps=99")
    updater.scaler.scale(torch.ones(()))  # so that there is one
    updater.scaler.update(3e38)
    weight, scale = task.trained.weight.clone(), updater.scaler.get_scale()
    for _ in range(3):
        taken = updater.take(0, _pieces(updater), leave=Leave())
        assert taken.names == ()
        assert torch.equal(task.trained.weight, weight)
        assert updater.scaler.get_scale() == (scale := scale / 2)
    updater.scaler.update(0.5)  # no scale to blame any more
    task.trained.weight.register_hook(lambda gradient: gradient * torch.inf)
    assert updater.take(0, _pieces(updater), leave=Leave()).names != ()


def test_the_rate_is_that_of_the_step():
    task = ConstantTask()
    updater = _updater(task, "warmup=5", "learning_rate=1e-3")
    assert updater.take(2, _pieces(updater), leave=Leave()).rate == pytest.approx(4e-4)
    assert updater.optimiser.param_groups[0]["lr"] == pytest.approx(4e-4)
