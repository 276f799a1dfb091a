"""The script's map is the one that the command line makes, but for the last sample."""

import json

import numpy as np
import pytest

import monostep
from monostep.benchmark import cold_start
from monostep.benchmark.cases import Case
from monostep.benchmark.own_program import as_diffusers_returns_it

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(
    "kind", ["weights", pytest.param("normals_weights", marks=pytest.mark.slow)]
)
def test_it_does_what_the_command_line_does(request, tmp_path, kind):
    from monostep.benchmark import minimal_diffusers

    weights = request.getfixturevalue(kind)
    start = cold_start._theirs(weights, Case(size=(32, 48)), "cpu", tmp_path / "photo.png")
    cold_start._commands(weights, Case(size=(32, 48)), "cpu", tmp_path, with_diffusers=False)
    minimal_diffusers.main(json.loads(start.command[-1]))
    made = np.load(start.output)
    predictor = monostep.load(weights.source, device="cpu", dtype="fp32")
    predictor = as_diffusers_returns_it(predictor)
    ours = predictor(tmp_path / "photo.png", resolution=0, last="previous")
    expected = ours.values[..., None] if kind == "weights" else ours.to("opengl").values
    np.testing.assert_allclose(made, expected, rtol=0, atol=1e-4)
