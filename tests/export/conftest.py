"""Small models, traced once for all tests of a process, since that takes longest."""

from contextlib import contextmanager
from functools import cache

import jaxtyping
import micro_models
import numpy as np
import pytest
import rendered_once

import monostep
from monostep.export import comparison, onnx_file
from monostep.export.description import describe
from monostep.export.trace import trace


@contextmanager
def shapes_unchecked():
    """Comparing sizes that are symbols would make numbers of them."""
    jaxtyping.config.update("jaxtyping_disable", True)  # noqa: FBT003
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)  # noqa: FBT003


@pytest.fixture
def untyped():
    """Shapes unchecked."""
    with shapes_unchecked():
        yield


@pytest.fixture(autouse=True, scope="package")
def _pictures_once():
    """Every comparison renders the same three."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "render", rendered_once.render)
        yield


@pytest.fixture(scope="session")
def micro(tmp_path_factory):
    """Predictors by kind, loaded when they are first asked for."""
    known = {}

    def predictor(kind="depth", **options):
        key = (kind, *options.items())
        if key not in known:
            path = tmp_path_factory.mktemp("micro") / "model"
            micro_models.write(path, kind, **options)
            known[key] = monostep.load(path, device="cpu", dtype="fp32")
        return known[key]

    return predictor


@pytest.fixture(scope="session")
def micro_joint(tmp_path_factory):
    """Predictors of depth and normals: one looks at the picture, one hears words."""

    @cache
    def predictor(*, words=False):
        path = micro_models.write_joint(tmp_path_factory.mktemp("micro") / "m", words=words)
        return monostep.load(path, device="cpu", dtype="fp32")

    return predictor


@pytest.fixture(scope="session")
def noise():
    """Random bytes as images: (height, width) or (batch, height, width)."""

    def images(*shape):
        return np.random.default_rng(sum(shape)).integers(0, 256, (*shape, 3), dtype=np.uint8)

    return images


@pytest.fixture(scope="session")
def program(micro):
    """The trace of the depth model."""
    with shapes_unchecked():
        return trace(micro("depth"), micro("depth").inference())


@pytest.fixture(scope="session")
def description(micro, noise):
    """Of the depth model."""
    return describe(micro("depth"), micro("depth")(noise(20, 20)))


@pytest.fixture(scope="session")
def onnx_path(program, description, tmp_path_factory):
    """The depth model's graph beside its weights, as if they were too large for one file."""
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    with shapes_unchecked(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_file, "LARGEST", 1000)
        onnx_file.write(program, path, description)
    return path


@pytest.fixture(scope="session")
def assert_close():
    """Close on the whole: what is left of vectors that cancel is amplified by their unit length."""

    def check(ours, said, where=""):
        difference = abs(np.asarray(ours) - np.asarray(said))
        assert ours.shape == said.shape, where
        assert np.quantile(difference, 0.9999) < 1e-3, where
        assert difference.mean() < 1e-4, where

    return check
