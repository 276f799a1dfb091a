import json
import pickle

import numpy as np
import own_data
import pytest
import torch

from monostep.data import manifest
from monostep.data.manifest import Declaration
from monostep.errors import InputError, SettingError
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.rules import BY_IMAGE
from monostep.evaluation.sets.manifest_set import ManifestSet

CAMERA = (8.0, 8.0, 4.0, 3.0)


def _write(folder, *rows, **declared):
    path = folder / "frames.jsonl"
    manifest.write(path, Declaration(**{"name": "own", **declared}), rows)
    return path


@pytest.fixture
def two(tmp_path):
    return [
        own_data.row(tmp_path, name="a", split="test", kind="indoor"),
        own_data.row(tmp_path, name="b", split="train", intrinsics_px=CAMERA),
    ]


def test_rows_are_images_with_depth(tmp_path, two):
    benchmark = ManifestSet(_write(tmp_path, *two))
    assert isinstance(benchmark, Benchmark)
    assert list(benchmark.names) == ["a.png", "b.png"]
    case = benchmark.load(0)
    torch.testing.assert_close(case.depth_m, torch.from_numpy(own_data.plane()))
    assert case.depth_valid.all()
    assert (case.name, case.stratum) == ("a.png", "indoor")
    assert benchmark.load(1).stratum == "all"
    assert benchmark.load(0, image=False).image is None
    assert case.image.shape == (3, 6, 8)


def test_the_kind_of_a_row_is_the_domain_that_models_are_told(tmp_path, two):
    benchmark = ManifestSet(_write(tmp_path, *two))
    assert [benchmark.load(index).domain for index in (0, 1)] == ["indoor", None]
    assert {rules.input.domain for rules in benchmark.rules.values()} == {BY_IMAGE}
    (rules,) = ManifestSet(_write(tmp_path, own_data.row(tmp_path))).rules.values()
    assert rules.input.domain is None  # the model's default, which its report then names


def test_a_split_is_part_of_it(tmp_path, two):
    path = _write(tmp_path, *two)
    assert list(ManifestSet(path, split="train").names) == ["b.png"]
    with pytest.raises(SettingError, match=r"no rows of split 'validation', only test, train"):
        ManifestSet(path, split="validation")


def test_normals_are_judged_where_they_can_be_known(tmp_path, two):
    benchmark = ManifestSet(_write(tmp_path, *two))
    assert set(benchmark.rules) == {"depth", "normals"}
    assert benchmark.load(0).normals is None
    known = benchmark.load(1)
    assert known.normals_valid.any()
    assert (known.normals.norm(dim=0)[known.normals_valid] > 0.9).all()
    assert set(ManifestSet(_write(tmp_path, two[0])).rules) == {"depth"}


def test_depth_is_clipped_to_what_the_manifest_declares(tmp_path, two):
    rules = ManifestSet(_write(tmp_path, *two, least_m=0.5, most_m=2.2)).rules["depth"]
    assert (rules.near_m, rules.far_m, rules.boundaries) == (0.5, 2.2, True)
    case = ManifestSet(_write(tmp_path, *two, least_m=0.5, most_m=2.25)).load(0)
    assert torch.equal(case.depth_valid, torch.from_numpy(own_data.plane() < 2.25))


def test_affine_depth_is_refused_and_relative_disparity_has_depth_up_to_scale(tmp_path, two):
    with pytest.raises(SettingError, match="up to scale and shift"):
        ManifestSet(_write(tmp_path, *two, unit="relative"))
    benchmark = ManifestSet(_write(tmp_path, *two, unit="relative", quantity="disparity"))
    assert not benchmark.scale_is_known
    torch.testing.assert_close(benchmark.load(0).depth_m, 1 / torch.from_numpy(own_data.plane()))


def test_masks_and_confidence_take_pixels_out(tmp_path):
    mask, sure = np.ones((6, 8)), np.ones((6, 8))
    mask[0], sure[1] = 0, 0
    row = own_data.row(
        tmp_path,
        mask=own_data.array(tmp_path / "mask.npy", mask),
        confidence=own_data.array(tmp_path / "sure.npy", sure),
    )
    valid = ManifestSet(_write(tmp_path, row)).load(0).depth_valid
    assert valid.sum(dim=1).tolist() == [0, 0, 8, 8, 8, 8]


def test_a_damaged_file_is_named_with_its_row(tmp_path, two):
    path = _write(tmp_path, *two)
    (tmp_path / "b.png").write_bytes(b"no picture")
    benchmark = ManifestSet(path)
    benchmark.load(0)
    with pytest.raises(InputError, match=r"frames.jsonl, row 2: .*b.png"):
        benchmark.load(1)


def test_an_image_of_two_rows_is_refused(tmp_path, two):
    with pytest.raises(InputError, match=r"a.png is named by two rows"):
        ManifestSet(_write(tmp_path, two[0], two[0]))


def test_it_says_which_list_it_is_and_notices_changed_files(tmp_path, two):
    path = _write(tmp_path, *two)
    first = ManifestSet(path)
    about = json.loads(json.dumps(first.about(), allow_nan=False))
    assert (about["images"], about["declaration"]["unit"]) == (2, "m")
    assert about == ManifestSet(path).about()
    other = ManifestSet(_write(tmp_path, two[0]))
    assert other.about()["list_sha256"] != about["list_sha256"]
    before = first.state()
    assert before == ManifestSet(path).state() or len(before) == 64
    own_data.array(tmp_path / "a.depth.npy", np.ones((7, 9)))
    assert ManifestSet(_write(tmp_path, *two)).state() != before
    assert pickle.loads(pickle.dumps(first)).load(1).name == "b.png"


def test_kittis_crop_is_cut(tmp_path):
    row = own_data.row(tmp_path, size=(375, 1242))
    case = ManifestSet(_write(tmp_path, row, fit="kitti-crop")).load(0)
    assert case.image.shape == (3, 352, 1216)
    assert case.depth_m.shape == (352, 1216)
