import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from monostep.errors import CheckpointError, InputError
from monostep.pictures import as_tensor
from monostep.runner import outputs
from monostep.runner.batch import Models
from monostep.runner.inputs import find
from monostep.runner.plan import plan
from monostep.runner.settings import Settings


@pytest.fixture
def pictures(tmp_path):
    for index, level in enumerate((10, 200, 210, 220)):
        pixels = np.full((12, 16, 3), level, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    jobs = find([str(tmp_path)], output=tmp_path / "out", recursive=True).jobs
    return [outputs.read(job) for job in jobs]


def made(predictor, said=None, **settings):
    predictors = {"depth": predictor}
    planned = plan(predictors, Settings(output=Path("out"), **settings))
    return Models(predictors, planned, (said if said is not None else []).append)


def changed(predictor, spoil):
    """The same model, whose passes `spoil` sees before: images and how many go at once."""
    other = copy.copy(predictor)

    def predict(images, inference, *, at_once):
        spoil(images, at_once)
        return predictor.predict(images, inference, at_once=at_once)

    other.predict = predict
    return other


def in_memory_for(most, error, passes):
    """A model with memory for so many images at once."""

    def spoil(images, at_once):
        passes.append(min(len(images), at_once))
        if passes[-1] > most:
            raise error

    return spoil


MEMORY = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate"),
    RuntimeError("cuBLAS error: CUBLAS_STATUS_ALLOC_FAILED"),
]


def test_results_come_in_order_with_their_time(models, pictures):
    done = made(models["depth"], batch_size=3).predict(pictures)
    for picture, prediction in zip(pictures, done, strict=True):
        alone = models["depth"](picture.photo.pixels)
        np.testing.assert_allclose(prediction.results["depth"].values, alone.values, atol=1e-5)
        assert prediction.milliseconds > 0


def test_what_was_asked_reaches_the_model(models, pictures):
    predictor, asked = models["depth"], {"noise": "gaussian", "seed": 5, "resolution": 32}
    (done,) = made(predictor, asked=asked).predict(pictures[:1])
    image = as_tensor(pictures[0].photo.pixels)
    (alone,) = predictor.predict([image], predictor.inference(**asked))
    assert torch.equal(done.results["depth"].tensor, alone.tensor)


def test_equal_padded_sizes_are_known(models, pictures):
    batch = made(models["depth"])
    wider = replace(pictures[0], input=replace(pictures[0].input, width=40))
    assert batch.padded(pictures[0]) == batch.padded(pictures[1])
    assert batch.padded(pictures[0]) != batch.padded(wider)


def test_ensembles_go_alone_whatever_the_batch_size(models):
    ensemble = {"ensemble": 3, "noise": "gaussian"}
    assert made(models["depth"]).pictures_at_once() == 1
    assert made(models["depth"], batch_size=8).pictures_at_once() == 8
    assert made(models["depth"], batch_size=8, asked=ensemble).pictures_at_once() == 1


@pytest.mark.parametrize("error", MEMORY)
def test_memory_that_ends_halves_the_batch_once_and_for_all(models, pictures, error):
    passes, said = [], []
    predictor = changed(models["depth"], in_memory_for(2, error, passes))
    batch = made(predictor, said, batch_size=8)
    done = batch.predict(pictures)
    expected = made(models["depth"], batch_size=2).predict(pictures)
    for one, other in zip(done, expected, strict=True):
        assert torch.equal(one.results["depth"].tensor, other.results["depth"].tensor)
    assert said == ["out of memory with 4 images at once; going on with 2"]
    assert batch.pictures_at_once() == 2
    batch.predict(pictures)
    assert passes == [4, 2, 2]


def test_one_that_does_not_fit_alone_fails_alone(models, pictures):
    said = []

    def spoil(images, _):
        if any(image.mean() < 0.5 for image in images):
            raise MemoryError

    batch = made(changed(models["depth"], spoil), said, batch_size=4)
    failed, *done = batch.predict(pictures)
    assert isinstance(failed, InputError)
    assert str(failed).endswith(
        "0.png: not enough memory for this image alone; try a smaller --resolution"
    )
    assert [each.results["depth"].values.shape for each in done] == [(12, 16)] * 3
    assert said == [
        "out of memory with 4 images at once; going on with 2",
        "out of memory with 2 images at once; going on with 1",
    ]


@pytest.mark.parametrize("error", [InputError("too dark"), CheckpointError("not finite")])
def test_one_that_fails_does_not_take_the_others_along(models, pictures, error):
    said = []

    def spoil(images, _):
        if any(image.mean() < 0.5 for image in images):
            raise error

    failed, *done = made(changed(models["depth"], spoil), said, batch_size=4).predict(pictures)
    assert isinstance(failed, InputError)
    assert str(failed).endswith(f"0.png: {error}")
    assert len(done) == 3
    assert not said


def test_a_programmers_error_is_not_swallowed(models, pictures):
    def spoil(_images, _at_once):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        made(changed(models["depth"], spoil)).predict(pictures)
