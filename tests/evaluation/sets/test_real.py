import json

import numpy as np
import pytest

from monostep.errors import MissingExtraError
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.sets import real
from monostep.evaluation.sets.real import Motorcycle


@pytest.fixture(scope="module")
def motorcycle():
    return Motorcycle().load(0)


def test_it_is_a_benchmark_of_one_image_whose_depth_is_known():
    benchmark = Motorcycle()
    assert isinstance(benchmark, Benchmark)
    assert list(benchmark.rules) == ["depth"]
    assert benchmark.rules["depth"].input.domain == "indoor"
    assert json.loads(json.dumps(benchmark.about()))["images"] == 1
    assert benchmark.load(0, image=False).image is None


def test_it_has_the_published_size_and_depths(motorcycle):
    assert tuple(motorcycle.image.shape) == (3, 500, 741)
    assert motorcycle.name == "motorcycle"
    depth_m = motorcycle.depth_m[motorcycle.depth_valid]
    # Middlebury: disparities of 7.19 to 59.9 pixels, so 2.11 to 5.02 m.
    assert float(depth_m.min()) == pytest.approx(2.110, abs=2e-3)
    assert float(depth_m.max()) == pytest.approx(5.017, abs=2e-3)
    assert float(motorcycle.depth_valid.float().mean()) == pytest.approx(0.9265, abs=1e-3)


def test_pixels_without_disparity_have_no_depth(motorcycle):
    assert not motorcycle.depth_m[~motorcycle.depth_valid].any()


def test_the_floor_in_front_is_nearer_than_the_wall_behind(motorcycle):
    depth_m, valid = motorcycle.depth_m, motorcycle.depth_valid
    assert depth_m[-20:][valid[-20:]].mean() < depth_m[:20][valid[:20]].mean() - 1


def test_depth_edges_lie_on_edges_of_the_photograph(motorcycle):
    # A mirrored or shifted depth map would lose this.
    grey = motorcycle.image.mean(dim=0)
    depth_m, valid = motorcycle.depth_m, motorcycle.depth_valid
    step = grey.diff(dim=1).abs()
    edge = (depth_m.diff(dim=1).abs() > 0.3) & valid[:, 1:] & valid[:, :-1]
    assert step[edge].mean() > 2 * step.mean()
    assert step[edge].mean() > 1.5 * step[edge.flip(1)].mean()


def test_a_folder_without_the_files_names_the_remedy(tmp_path):
    with pytest.raises(MissingExtraError, match="pip install scikit-image"):
        Motorcycle(folder=tmp_path)


def test_without_scikit_image_the_remedy_is_named(monkeypatch):
    monkeypatch.setattr(real, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="pip install scikit-image"):
        Motorcycle()


def test_depth_follows_from_disparity_by_the_stereo_formula(motorcycle):
    folder = real._installed()
    with np.load(folder / "motorcycle_disp.npz") as file:
        disparity = file["arr_0"][250, 370].astype(float)
    wanted = 994.978 * 0.193001 / (disparity + 31.086)
    assert float(motorcycle.depth_m[250, 370]) == pytest.approx(wanted, rel=1e-5)
