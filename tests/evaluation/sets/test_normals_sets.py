import hashlib
import os
import pickle
import re
import shutil

import numpy as np
import pytest
import torch
from normals_layouts import SIZE, STEMS, packed, write_set
from PIL import Image

from monostep.errors import InputError, SettingError
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.sets.normals_layouts import LAYOUTS
from monostep.evaluation.sets.normals_sets import NAMES, open_normals_set
from monostep.evaluation.sets.stretched import stretched
from monostep.metrics.normals import angle_deg

COUNTS = {name: layout.images for name, layout in LAYOUTS.items()}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """All six benchmarks in their official layout, and what was written."""
    root = tmp_path_factory.mktemp("data") / "dsine_eval"
    written = {name: write_set(root, name) for name in STEMS}
    return root, written


@pytest.fixture
def rooms(tmp_path):
    """NYUv2 alone, to be damaged."""
    write_set(tmp_path, "nyuv2")
    return tmp_path


def check(benchmark, written):
    """Every case equals what was written, in the OpenCV frame."""
    assert [*benchmark.names] == [one.name for one in written]
    for index, one in enumerate(written):
        case = benchmark.load(index)
        assert case.name == one.name
        codes = (255 * case.image).round().permute(1, 2, 0).numpy()
        np.testing.assert_array_equal(codes, one.codes)
        np.testing.assert_array_equal(case.normals_valid.numpy(), one.valid)
        opencv = case.normals.permute(1, 2, 0).numpy()
        np.testing.assert_allclose(opencv, -one.lub, rtol=0, atol=2e-7)
        assert (opencv[one.valid][:, 2] < 0.01).all()  # they face the camera
        assert case.depth_m is None and case.depth_valid is None


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_gives_what_was_written(data, name):
    root, written = data
    check(open_normals_set(name, root), written[name])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("whole", [True, False], ids=["all sets", "one set"])
def test_a_tar_gives_what_was_written(data, name, whole, tmp_path):
    root, written = data
    tar = packed(root if whole else root / name, tmp_path / "some.tar")
    check(open_normals_set(name, tar), written[name])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", ["repository", "data", "dsine_eval", "the set", "its tar"])
def test_data_are_found_wherever_they_are_given_from(data, name, place, tmp_path):
    root, written = data
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "dsine_eval").symlink_to(root)
    packed(root / name, tmp_path / f"{name}.tar")
    places = {
        "repository": tmp_path,
        "data": tmp_path / "data",
        "dsine_eval": root,
        "the set": root / name,
        "its tar": tmp_path / f"{name}.tar",
    }
    benchmark = open_normals_set(name, places[place])
    assert [*benchmark.names] == [one.name for one in written[name]]
    assert benchmark.about()["missing"] == COUNTS[name] - len(written[name])


def test_copies_elsewhere_do_not_confuse_and_several_sets_are_named(data, tmp_path):
    shutil.copytree(data[0] / "nyuv2", tmp_path / "dsine_eval" / "nyuv2")
    shutil.copytree(data[0] / "nyuv2", tmp_path / "old" / "nyuv2")
    benchmark = open_normals_set("nyuv2", tmp_path)
    assert benchmark.archive.where("a") == str(tmp_path / "dsine_eval" / "nyuv2" / "a")
    (tmp_path / "dsine_eval").rename(tmp_path / "new")
    with pytest.raises(InputError, match=r"below 2 folders .*give one of them"):
        open_normals_set("nyuv2", tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_benchmark_that_can_be_sent_to_another_process(data, name):
    benchmark = open_normals_set(name, data[0])
    assert isinstance(benchmark, Benchmark)
    assert benchmark.name == (f"{name}-normals" if name in ("nyuv2", "scannet") else name)
    again = pickle.loads(pickle.dumps(benchmark))
    assert again.about() == benchmark.about()
    assert torch.equal(again.load(1).normals, benchmark.load(1).normals)
    assert again.rules == benchmark.rules == {"normals": benchmark.judged_by}


@pytest.mark.parametrize("name", NAMES)
def test_without_the_image_the_truth_is_the_same_and_the_image_is_not_decoded(data, name, tmp_path):
    shutil.copytree(data[0] / name, tmp_path / name)
    whole = open_normals_set(name, data[0]).load(0)
    image = tmp_path / name / data[1][name][0].name
    image.write_bytes(image.read_bytes()[:200])  # its head says the size
    bare = open_normals_set(name, tmp_path)
    case = bare.load(0, image=False)
    assert case.image is None
    assert torch.equal(case.normals, whole.normals)
    assert torch.equal(case.normals_valid, whole.normals_valid)
    with pytest.raises(InputError, match=re.escape(str(image))):
        bare.load(0)


@pytest.mark.parametrize("name", NAMES)
def test_angles_to_the_written_normals_are_those_that_were_planted(data, name):
    """Truth turned about the view axis by 10 degrees: the angles follow from the z components."""
    root, written = data
    case, one = open_normals_set(name, root).load(0), written[name][0]
    c, s = np.cos(np.radians(10)), np.sin(np.radians(10))
    opencv = -one.lub @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    predicted = torch.from_numpy(opencv).permute(2, 0, 1).float()
    got = angle_deg(predicted[None], case.normals[None])[0][case.normals_valid].numpy()
    a, b = -one.lub[one.valid], opencv[one.valid]
    length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    expected = np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=1), (a * b).sum(axis=1)))
    assert (length > 0.5).all()
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=0.05)
    assert expected.max() < 10.1 and expected.max() > 5


def test_e2e_ft_s_protocol_shows_distorted_colours_and_the_same_truth(data):
    ours, theirs = (
        open_normals_set("nyuv2", data[0], protocol=p).load(1)
        for p in ("dsine-2024", "e2e-ft-2024")
    )
    assert torch.equal(theirs.image, stretched(ours.image))
    assert not torch.equal(theirs.image, ours.image)
    assert torch.equal(theirs.normals, ours.normals)


def test_strata_are_the_kinds_of_scenes_where_paths_tell_them(data):
    strata = {}
    for name in NAMES:
        benchmark = open_normals_set(name, data[0])
        cases = [benchmark.load(i, image=False) for i in range(len(benchmark.names))]
        strata[name] = [case.stratum for case in cases]
    assert strata == {
        "nyuv2": ["all"] * 3,
        "scannet": ["all"] * 2,
        "ibims": ["corridor", "lab"],
        "sintel": ["alley_1", "alley_1", "market_6"],
        "vkitti": ["Scene01", "Scene20"],
        "oasis": ["all"] * 2,
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_list_says_how_it_differs_from_the_published_one(data, name):
    about = open_normals_set(name, data[0]).about()
    ending = LAYOUTS[name].templates.depth.rsplit("}", 1)[1]
    image = LAYOUTS[name].templates.image.rsplit("}", 1)[1]
    lines = [f"{stem}{image} {stem}{ending}" for stem in sorted(STEMS[name])]
    assert about == {
        "count": len(STEMS[name]),
        "expected": COUNTS[name],
        "missing": COUNTS[name] - len(STEMS[name]),
        "without_truth": 0,
        "list_sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        "is_reference_list": None if name == "oasis" else False,
        "decoding": LAYOUTS[name].decoding,
        "frame": "directx" if name == "oasis" else "dsine",
    }


def test_a_whole_data_set_is_known_as_the_published_one(tmp_path):
    for scene in ("01", "02", "06", "18", "20"):
        (tmp_path / f"Scene{scene}").mkdir()
        for number in range(200):
            for ending in ("_img.jpg", "_normal.png"):
                (tmp_path / f"Scene{scene}" / f"{number:06d}{ending}").touch()
    about = open_normals_set("vkitti", tmp_path).about()
    assert (about["is_reference_list"], about["missing"]) == (True, 0)
    (tmp_path / "Scene01" / "000200_img.jpg").touch()
    with pytest.raises(InputError, match=r"1001 images, but vkitti has 1000; say which ones with"):
        open_normals_set("vkitti", tmp_path)


def test_a_user_s_list_is_obeyed_in_its_order(rooms):
    chosen = rooms / "list.txt"
    chosen.write_text("./test/000008_img.png\ntest/000000_img.png test/000001_normal.png\n")
    benchmark = open_normals_set("nyuv2", rooms, names=chosen)
    assert [*benchmark.names] == ["test/000008_img.png", "test/000000_img.png"]
    other = open_normals_set("nyuv2", rooms).load(1)
    assert torch.equal(benchmark.load(1).normals, other.normals)
    about = benchmark.about()
    assert (about["count"], about["expected"], about["missing"]) == (2, 2, 0)
    assert about["is_reference_list"] is False


def test_images_of_the_training_split_do_not_count(rooms):
    shutil.copytree(rooms / "nyuv2" / "test", rooms / "nyuv2" / "train")
    assert len(open_normals_set("nyuv2", rooms).names) == 3


@pytest.mark.parametrize("gone", ["_img.png", "_normal.png"])
def test_a_sample_without_one_of_its_files_stays_in_the_list_and_is_named(rooms, gone):
    (rooms / "nyuv2" / "test" / f"000001{gone}").unlink()
    benchmark = open_normals_set("nyuv2", rooms)
    assert len(benchmark.names) == 3
    assert benchmark.about()["missing"] == 652
    benchmark.load(0)
    with pytest.raises(InputError, match=f"000001{gone}: no such file; is the data set complete"):
        benchmark.load(1)


def test_a_damaged_image_is_named_and_its_neighbours_are_read(rooms):
    path = rooms / "nyuv2" / "test" / "000001_img.png"
    path.write_bytes(path.read_bytes()[:-100])
    benchmark = open_normals_set("nyuv2", rooms)
    benchmark.load(0), benchmark.load(2)
    with pytest.raises(InputError, match=r"000001_img\.png: .*truncated"):
        benchmark.load(1)


def test_image_and_normals_of_other_sizes_are_named_with_both(rooms):
    Image.new("RGB", (5, 4)).save(rooms / "nyuv2" / "test" / "000001_img.png")
    height, width = SIZE
    with pytest.raises(
        InputError,
        match=rf"000001_img\.png: 4 x 5 pixels, but its normals .* have {height} x {width};",
    ):
        open_normals_set("nyuv2", rooms).load(1)


def test_an_empty_mask_is_a_case_without_valid_pixels(rooms):
    Image.new("RGB", SIZE[::-1]).save(rooms / "nyuv2" / "test" / "000001_normal.png")
    case = open_normals_set("nyuv2", rooms).load(1)
    assert not case.normals_valid.any() and not case.normals.any()


def test_a_malicious_oasis_file_is_named_and_does_nothing(tmp_path):
    class Attack:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'mark'}",)

    write_set(tmp_path, "oasis")
    (tmp_path / "oasis" / "val" / "7_DT_normal.pkl").write_bytes(pickle.dumps(Attack()))
    benchmark = open_normals_set("oasis", tmp_path)
    with pytest.raises(InputError, match=r"7_DT_normal\.pkl: the pickle asks for \w+\.system"):
        benchmark.load(benchmark.names.index("val/7_DT_img.png"))
    assert not (tmp_path / "mark").exists()


def test_an_oasis_box_beyond_its_image_is_named(tmp_path):
    write_set(tmp_path, "oasis")
    Image.new("RGB", (9, 9)).save(tmp_path / "oasis" / "val" / "7_DT_img.png")
    benchmark = open_normals_set("oasis", tmp_path)
    with pytest.raises(
        InputError, match=r"7_DT_normal\.pkl: rows up to \d+ and columns up to \d+ of"
    ):
        benchmark.load(benchmark.names.index("val/7_DT_img.png"))


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_errors_in_a_tar_name_tar_and_member(tmp_path, damage):
    write_set(tmp_path / "in", "sintel")
    path = tmp_path / "in" / "sintel" / "alley_1" / "frame_0002_normal.exr"
    path.unlink() if damage == "missing" else path.write_bytes(path.read_bytes()[:-50])
    tar = packed(tmp_path / "in", tmp_path / "all.tar")
    with pytest.raises(
        InputError, match=r"all\.tar: sintel/alley_1/frame_0002_normal\.exr: "
    ) as caught:
        open_normals_set("sintel", tar).load(1)
    assert "\n" not in str(caught.value) and "member.exr" not in str(caught.value).replace(
        "'member.exr'", ""
    )


@pytest.mark.parametrize(
    ("place", "words"), [("nowhere", "no such file or folder"), (".", "no files as ibims/")]
)
def test_absent_data_are_an_error_that_says_what_was_sought(tmp_path, place, words):
    with pytest.raises(InputError, match=words):
        open_normals_set("ibims", tmp_path / place)


def test_unknown_names_and_protocols_are_refused_with_the_choice(tmp_path):
    with pytest.raises(SettingError, match="no normals benchmark 'kitti'; choose nyuv2, scannet"):
        open_normals_set("kitti", tmp_path)
    with pytest.raises(SettingError, match="nyuv2-normals: no protocol 'x'; choose dsine-2024"):
        open_normals_set("nyuv2", tmp_path, protocol="x")


@pytest.mark.parametrize("is_tar", [False, True])
def test_a_rewritten_file_changes_the_state(tmp_path, is_tar):
    (tmp_path / "set").mkdir()
    write_set(tmp_path / "set", "sintel")
    tar = packed(tmp_path / "set", tmp_path / "all.tar")
    benchmark = open_normals_set("sintel", tar if is_tar else tmp_path / "set")
    states = [benchmark.state()]
    assert benchmark.state() == states[0]
    for ending in ("img.png", "normal.exr"):
        file = tmp_path / "set/sintel/alley_1" / f"frame_0002_{ending}"
        touched = tar if is_tar else file
        os.utime(touched, ns=(len(states), len(states)))
        states.append(benchmark.state())
    assert len(set(states)) == 3


def test_an_unpacked_exr_needs_no_scratch(tmp_path, monkeypatch):
    write_set(tmp_path, "sintel")
    packed(tmp_path, tmp_path.parent / f"{tmp_path.name}.tar")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "no such folder"))
    assert open_normals_set("sintel", tmp_path).load(0).normals_valid.any()
    tar = open_normals_set("sintel", tmp_path.parent / f"{tmp_path.name}.tar")
    with pytest.raises(InputError, match=r"frame_0001_normal\.exr: cannot be unpacked .* TMPDIR"):
        tar.load(0)


def test_absent_sets_are_not_sought_in_a_tar_that_never_was(tmp_path):
    with pytest.raises(InputError, match="the set's folder sintel of dsine_eval, or a tar of it"):
        open_normals_set("sintel", tmp_path)
