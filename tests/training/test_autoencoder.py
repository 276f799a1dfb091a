import torch
from drawn_scenes import render

from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.recipes import recipe
from monostep.training.autoencoder import AutoencoderTask, pictures
from monostep.training.batch import Batch


def _batch(samples):
    count = len(samples)
    return Batch(samples=samples, step=0, seeds=tuple(range(count)), names=("a",) * count)


def test_pictures_are_in_the_autoencoders_range():
    for picture in pictures(render(1, range(4), (16, 16)), recipe("nano-autoencoder")):
        assert picture.shape == (4, 3, 16, 16)
        assert picture.abs().max() <= 1 + 1e-6


def test_the_task_learns():
    torch.manual_seed(0)
    config = AutoencoderTinyConfig(width=8, encoder_blocks=(0, 1), decoder_blocks=(1, 0))
    model = AutoencoderTiny(config)
    task = AutoencoderTask(model, recipe("nano-autoencoder"))
    samples = render(1, range(2), (16, 16))
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    before = task.score(samples).mean()
    for _ in range(30):
        optimiser.zero_grad()
        task.loss(_batch(samples)).mean().backward()
        optimiser.step()
    assert task.loss(_batch(samples)).shape == (2,)
    assert task.score(samples).mean() < 0.7 * before
