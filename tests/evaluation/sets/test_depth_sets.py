import io
import json
import os
import pickle
import subprocess
import sys
import tarfile
from pathlib import Path

import depth_layouts
import numpy as np
import pytest
import torch
from PIL import Image

from monostep.errors import InputError, SettingError
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.sets.depth_sets import NAMES, open_depth_set

PUBLISHED = Path(__file__).parents[4] / "shared/data/lists/e2e_ft"
LISTS = {
    "nyuv2": "nyu/labeled/filename_list_test.txt",
    "kitti": "kitti/eigen_test_files_with_gt.txt",
    "eth3d": "eth3d/eth3d_filename_list.txt",
    "scannet": "scannet/scannet_val_sampled_list_800_1.txt",
    "diode": "diode/diode_val_all_filename_list.txt",
    "diode-indoor": "diode/diode_val_indoor_filename_list.txt",
    "diode-outdoor": "diode/diode_val_outdoor_filename_list.txt",
}
LIMITS = {"nyuv2": (1e-3, 10), "kitti": (1e-5, 80), "eth3d": (1e-5, np.inf), "scannet": (1e-3, 10)}


@pytest.fixture(scope="module", params=["tree", "tar"])
def written(request, tmp_path_factory):
    """All benchmarks below one folder, and what was planted."""
    data = tmp_path_factory.mktemp(request.param)
    packed = request.param == "tar"
    return data, {name: depth_layouts.write(data, name, packed=packed) for name in NAMES}


@pytest.fixture
def tree(tmp_path):
    """Writes one benchmark as a tree."""

    def write(name, images=3):
        depth_layouts.write(tmp_path, name, images=images)
        return tmp_path

    return write


def expected(name, planted):
    """Colours, metres and validity by the published rules, in plain numpy."""
    colours, depth_m = planted.colours, planted.depth_m
    if name in ("nyuv2", "scannet"):
        depth_m = np.rint(np.minimum(1000 * depth_m, 65535)) / 1000
    elif name == "kitti":
        depth_m = np.rint(np.minimum(256 * depth_m, 65535)) / 256
    depth_m = np.where(np.isinf(depth_m), 0, depth_m).astype(np.float32)
    if name == "diode":
        return colours, depth_m, planted.mask_values
    if name == "kitti":
        height, width = depth_m.shape
        left = int((width - 1216) / 2)
        colours = colours[height - 352 :, left : left + 1216]
        depth_m = depth_m[height - 352 :, left : left + 1216]
    near, far = LIMITS[name]
    valid = (depth_m > near) & (depth_m < far)
    box = np.ones_like(valid)
    if name == "nyuv2":
        box[:] = False
        box[45:471, 41:601] = True
    if name == "kitti":
        box[:] = False
        box[117:321, 43:1172] = True
    return colours, depth_m, valid & box


@pytest.mark.parametrize("name", NAMES)
def test_cases_are_what_the_published_rules_make_of_the_files(written, name):
    data, planted = written
    benchmark = open_depth_set(name, data)
    assert isinstance(benchmark, Benchmark)
    assert list(benchmark.names) == [one.image for one in planted[name]]
    for index, one in enumerate(planted[name]):
        case = benchmark.load(index)
        colours, depth_m, valid = expected(name, one)
        assert case.name == one.image
        assert np.array_equal(case.depth_m.numpy(), depth_m)
        assert np.array_equal(case.depth_valid.numpy(), valid)
        assert 0 < valid.sum() < valid.size
        seen = 255 * case.image.permute(1, 2, 0).numpy()
        compressed = one.image.lower().endswith(".jpg")
        np.testing.assert_allclose(seen, colours, atol=9 if compressed else 1e-4)
        assert case.normals is None


@pytest.mark.parametrize("name", NAMES)
def test_without_the_image_the_rest_is_the_same_and_it_is_not_opened(written, name, monkeypatch):
    data, _ = written
    benchmark = pickle.loads(pickle.dumps(open_depth_set(name, data)))
    whole = benchmark.load(1)
    monkeypatch.setattr("monostep.evaluation.sets.depth_files.read_image", None)
    bare = benchmark.load(1, image=False)
    assert bare.image is None
    assert torch.equal(bare.depth_m, whole.depth_m)
    assert torch.equal(bare.depth_valid, whole.depth_valid)
    assert bare.stratum == whole.stratum


def test_tree_and_tar_are_one_benchmark(tmp_path):
    for name in NAMES:
        depth_layouts.write(tmp_path / "tree", name)
        depth_layouts.write(tmp_path / "tar", name, packed=True)
        tree, tar = (open_depth_set(name, tmp_path / kind) for kind in ("tree", "tar"))
        assert tree.about() == tar.about()
        assert tree.names == tar.names
        itself = open_depth_set(name, tmp_path / "tar" / depth_layouts.TARS[name])
        assert itself.about() == tar.about()
        assert json.loads(json.dumps(tar.about(), allow_nan=False)) == tar.about()


def test_strata(written):
    data, _ = written
    found = {
        name: [open_depth_set(name, data).load(index, image=False).stratum for index in range(3)]
        for name in NAMES
    }
    assert found == {
        "nyuv2": ["home_office", "kitchen", "study"],
        "kitti": ["all"] * 3,
        "eth3d": ["facade", "office", "relief_2"],
        "scannet": ["all"] * 3,
        "diode": ["indoor", "outdoor", "outdoor"],
    }


def test_domains_are_known_where_paths_say_them(written):
    data, _ = written
    for name in NAMES:
        benchmark = open_depth_set(name, data)
        found = [benchmark.load(index, image=False).domain for index in range(3)]
        assert found == (["indoor", "outdoor", "outdoor"] if name == "diode" else [None] * 3)


def test_parts_of_diode(written):
    data, planted = written
    parts = {kind: open_depth_set("diode", data, scenes=kind) for kind in ("indoor", "outdoor")}
    assert [part.name for part in parts.values()] == ["diode-indoor", "diode-outdoor"]
    assert [len(part.names) for part in parts.values()] == [1, 2]
    together = [*parts["indoor"].names, *parts["outdoor"].names]
    assert together == [one.image for one in planted["diode"]]
    assert parts["indoor"].about()["expected"] == 325


def test_gargs_region(written):
    data, _ = written
    eigen = open_depth_set("kitti", data).load(0, image=False).depth_valid
    benchmark = open_depth_set("kitti", data, protocol="marigold-2024-garg")
    garg = benchmark.load(0, image=False).depth_valid
    for valid, rows in ((eigen, (117, 320)), (garg, (143, 348))):
        found = valid.nonzero()
        assert (int(found[:, 0].min()), int(found[:, 0].max())) == rows
        assert (int(found[:, 1].min()), int(found[:, 1].max())) == (43, 1171)
    assert benchmark.about()["valid_rows"] == [143, 349]


def test_ours_wants_depth_where_diodes_mask_claims_it(tree):
    data = tree("diode", images=1)
    path = next(data.rglob("*_depth.npy"))
    depth_m = np.load(path)
    depth_m[3, 3:6, 0] = 0, np.nan, -1
    np.save(path, depth_m)
    mask = next(data.rglob("*_mask.npy"))
    np.save(mask, np.ones((24, 32)))
    published, ours = (
        open_depth_set("diode", data, protocol=name).load(0, image=False)
        for name in ("marigold-2024", "monostep-1")
    )
    assert published.depth_valid.all()
    assert torch.equal(ours.depth_valid, ours.depth_m > 0)
    assert not ours.depth_valid[3, 3:6].any()


@pytest.mark.parametrize("name", LISTS)
def test_the_published_list_is_recognised(tmp_path, name):
    if not PUBLISHED.is_dir():
        pytest.skip("real data not present")
    kind, _, scenes = name.partition("-")
    lines = [line.split() for line in (PUBLISHED / LISTS[name]).read_text().splitlines()]
    with tarfile.open(tmp_path / "set.tar", "w") as tar:
        for column in {column for line in lines for column in line if "/" in column}:
            tar.addfile(tarfile.TarInfo(f"./{column}"), io.BytesIO())
    derived = open_depth_set(kind, tmp_path / "set.tar", scenes=scenes or None)
    listed = open_depth_set(
        kind, tmp_path / "set.tar", scenes=scenes or None, names=PUBLISHED / LISTS[name]
    )
    for benchmark in (derived, listed):
        about = benchmark.about()
        assert about["is_reference_list"]
        assert (about["count"], about["missing"]) == (about["expected"], 0)
        assert about["without_truth"] == (45 if name == "kitti" else 0)
    assert set(derived.names) == set(listed.names)


def test_a_part_of_the_data_is_not_the_published_list_and_says_how_many_are_missing(tree):
    about = open_depth_set("kitti", tree("kitti")).about()
    assert (about["count"], about["expected"], about["missing"]) == (3, 652, 649)
    assert about["without_truth"] == 1
    assert not about["is_reference_list"]


def test_a_users_list_chooses_and_what_is_not_there_is_missing_and_named(tree, tmp_path):
    data = tree("kitti")
    rows = [depth_layouts.names("kitti", index)[:2] for index in (2, 0, 7)]
    path = tmp_path / "list.txt"
    path.write_text("".join(f"{image} {depth} 721.5\n" for image, depth in rows) + "a.png None 1\n")
    benchmark = open_depth_set("kitti", data, names=path)
    assert list(benchmark.names) == [image for image, _ in rows]
    about = benchmark.about()
    assert (about["count"], about["expected"], about["missing"]) == (3, 3, 1)
    assert about["without_truth"] == 1
    assert benchmark.load(0).name == rows[0][0]
    with pytest.raises(InputError, match="0000000008"):
        benchmark.load(2, image=False)


def test_more_than_the_published_list_needs_a_list(tmp_path):
    with tarfile.open(tmp_path / "nyu_labeled_extracted.tar", "w") as tar:
        for index in range(655):
            for name in depth_layouts.names("nyuv2", index)[:2]:
                tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(InputError, match=r"655 images, but nyuv2 has 654; .* --list FILE"):
        open_depth_set("nyuv2", tmp_path)


def test_what_is_not_known_is_refused(tree):
    data = tree("scannet", images=1)
    with pytest.raises(SettingError, match="no depth benchmark 'sintel'; choose nyuv2, kitti"):
        open_depth_set("sintel", data)
    with pytest.raises(SettingError, match="scannet: has no outdoor part"):
        open_depth_set("scannet", data, scenes="outdoor")
    with pytest.raises(SettingError, match="no protocol 'x'"):
        open_depth_set("scannet", data, protocol="x")
    with pytest.raises(InputError, match=r"no files as .* expected kitti/kitti_eigen_split_test"):
        open_depth_set("kitti", data)
    with pytest.raises(InputError, match="no outdoor images"):
        depth_layouts.write(data, "diode", images=1)
        open_depth_set("diode", data, scenes="outdoor")


def _cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _smaller(path):
    if path.suffix == ".npy":
        np.save(path, np.load(path)[:-1])
    elif "ground_truth" in str(path):
        path.write_bytes(path.read_bytes()[:-4])
    else:
        Image.open(path).resize((20, 10), 0).save(path)


@pytest.mark.parametrize("damage", [Path.unlink, _cut, _smaller])
@pytest.mark.parametrize(
    ("name", "role"),
    [(name, role) for name in NAMES[1:] for role in ("image", "depth")] + [("diode", "mask")],
)
def test_a_bad_file_is_named_and_the_others_still_load(tmp_path, name, role, damage):
    whole, bad = depth_layouts.write(tmp_path, name, images=2)
    damage(tmp_path / name / getattr(bad, role))
    benchmark = open_depth_set(name, tmp_path)
    if (name, role, damage) == ("kitti", "depth", Path.unlink):
        assert benchmark.about()["without_truth"] == 2  # as the 45 that never had any
    else:
        with pytest.raises(InputError) as error:
            benchmark.load(benchmark.names.index(bad.image))
        named = str(error.value).partition(": ")[0]
        assert named.endswith((bad.image, bad.depth, bad.mask or bad.depth))
        assert named.startswith(str(tmp_path))
        assert "\n" not in str(error.value)
    assert benchmark.load(benchmark.names.index(whole.image)).depth_valid.any()


def test_a_bad_member_of_a_tar_is_named_with_the_tar(tmp_path):
    depth_layouts.write(tmp_path, "scannet", images=1, packed=True)
    tar = tmp_path / depth_layouts.TARS["scannet"]
    benchmark = open_depth_set("scannet", tmp_path)
    start = tar.read_bytes().index(b"IDAT")
    with tar.open("r+b") as file:
        file.seek(start + 20)
        file.write(bytes(40))
    with pytest.raises(InputError) as error:
        benchmark.load(0)
    assert str(error.value).startswith(f"{tar}: scene0400_02/depth/000001.png: ")


MEASURE = """
import sys
from pathlib import Path
from monostep.evaluation.sets.depth_sets import open_depth_set

def resident(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1])

benchmark = open_depth_set("eth3d", Path(sys.argv[1]))
Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
before = resident("VmRSS")
case = benchmark.load(0)
assert case.image.shape == (3, 4032, 6048)
print((resident("VmHWM") - before) * 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measured on Linux")
def test_a_whole_eth3d_frame_is_read_in_600_megabytes(tmp_path):
    image, depth, _ = (tmp_path / "eth3d" / str(name) for name in depth_layouts.names("eth3d", 0))
    image.parent.mkdir(parents=True)
    depth.parent.mkdir(parents=True)
    rows = np.repeat(np.arange(4032, dtype=np.uint16)[:, None], 6048, axis=1)
    Image.fromarray(np.dstack([rows % 256] * 3).astype(np.uint8)).save(image, quality=90)
    (1 + rows / 100).astype("<f4").tofile(depth)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", MEASURE, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 600e6


@pytest.mark.parametrize("name", ["scannet", "diode"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_rewritten_file_changes_the_state_and_nothing_else(tmp_path, name, packed):
    (sample,) = depth_layouts.write(tmp_path, name, images=1, packed=packed)
    benchmark = open_depth_set(name, tmp_path)
    states = {benchmark.state(), pickle.loads(pickle.dumps(benchmark)).state()}
    assert len(states) == 1
    roles = [each for each in (sample.image, sample.depth, sample.mask) if each is not None]
    for stamp, role in enumerate(roles):
        path = tmp_path / depth_layouts.TARS[name] if packed else tmp_path / name / role
        os.utime(path, ns=(stamp, stamp))
        states.add(benchmark.state())
    assert len(states) == 1 + len(roles)
    assert open_depth_set(name, tmp_path).about() == benchmark.about()


def test_other_masks_are_another_choice(tree, tmp_path):
    data = tree("diode")
    rows = [depth_layouts.names("diode", index) for index in range(3)]
    abouts = []
    for masks in ([row[2] for row in rows], [rows[0][2]] * 3):
        path = tmp_path / "list.txt"
        lines = (f"{row[0]} {row[1]} {mask}\n" for row, mask in zip(rows, masks, strict=True))
        path.write_text("".join(lines))
        abouts.append(open_depth_set("diode", data, names=path).about())
    one, other = abouts
    assert one["list_sha256"] == other["list_sha256"]
    assert one["masks_sha256"] != other["masks_sha256"]
    assert open_depth_set("diode", data).about()["masks_sha256"] == one["masks_sha256"]


def test_raw_depth_that_was_replaced_since_is_named(tree):
    data = tree("eth3d", images=1)
    benchmark = open_depth_set("eth3d", data)
    path = next((data / "eth3d" / "depth").rglob("*.JPG"))
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(InputError, match="download it again"):
        benchmark.load(0, image=False)


def test_stored_depth_beyond_float32_is_none(tree):
    data = tree("diode", images=1)
    path = next(data.rglob("*_depth.npy"))
    depth_m = np.load(path).astype(np.float64)
    depth_m[2, 3] = 1e300
    np.save(path, depth_m)
    assert open_depth_set("diode", data).load(0, image=False).depth_m[2, 3] == 0
