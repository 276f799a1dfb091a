import copy

import numpy as np
import pytest
import tiny_models
from PIL import Image

import monostep
from monostep.errors import InputError
from monostep.runner import batch, outputs
from monostep.runner.inputs import find
from monostep.runner.settings import Settings


@pytest.fixture(scope="module")
def predictors(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    tiny_models.depth_folder(folder)
    return {"depth": monostep.load(folder)}


@pytest.fixture
def pictures(tmp_path):
    for name, level in (("a", 10), ("b", 200)):
        pixels = np.full((12, 16, 3), level, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    jobs = find([str(tmp_path)], output=tmp_path / "out", recursive=True).jobs
    return [outputs.read(job) for job in jobs]


def spoilt(predictor, error):
    """The same model, which cannot bear dark pictures."""
    other = copy.copy(predictor)

    def predict(images, *, resolution):
        if any(image.mean() < 0.5 for image in images):
            raise error
        return predictor.predict(images, resolution=resolution)

    other.predict = predict
    return {"depth": other}


def test_results_come_in_order_with_their_time(predictors, pictures, tmp_path):
    done = batch.predict(pictures, predictors, Settings(output=tmp_path))
    for picture, prediction in zip(pictures, done, strict=True):
        alone = predictors["depth"](picture.photo.pixels)
        np.testing.assert_allclose(prediction.results["depth"].values, alone.values, atol=1e-5)
        assert prediction.milliseconds > 0


@pytest.mark.parametrize(
    "error", [InputError("too dark"), MemoryError(), RuntimeError("can't allocate memory")]
)
def test_one_that_fails_does_not_take_the_others_along(predictors, pictures, tmp_path, error):
    models = spoilt(predictors["depth"], error)
    failed, done = batch.predict(pictures, models, Settings(output=tmp_path))
    assert isinstance(failed, InputError)
    assert "a.png" in str(failed)
    assert done.results["depth"].values.shape == (12, 16)


def test_a_programmers_error_is_not_swallowed(predictors, pictures, tmp_path):
    models = spoilt(predictors["depth"], RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        batch.predict(pictures, models, Settings(output=tmp_path))
