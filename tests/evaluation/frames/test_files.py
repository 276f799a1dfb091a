import numpy as np
import pytest
import torch

from monostep.errors import InputError, SettingError
from monostep.evaluation.frames import files as frame_files
from monostep.evaluation.frames.files import Reading
from monostep.files import maps
from monostep.geometry import quantity as quantities
from monostep.geometry.depth import Depth
from monostep.geometry.frame_agreement import compare, normals_of
from monostep.geometry.normals import Normals

SIZE = (40, 50)


def _touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def _images(folder):
    return {
        one.image: one.path.relative_to(folder).as_posix() for one in frame_files.of_normals(folder)
    }


def test_files_that_are_called_normals_are_taken_floats_first(tmp_path):
    _touch(
        tmp_path, "s/a.normals.npy", "s/a.normals.png", "s/a.normals.preview.png", "s/a.depth.npy"
    )
    _touch(tmp_path, "b.jpg.normals.exr", "c.npy")
    assert _images(tmp_path) == {
        "s/a.png": "s/a.normals.npy",
        "b.jpg.png": "b.jpg.normals.exr",
    }


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("normal_npy/a_pred.npy", "a.png"),
        ("normals_npy/a_normals.npy", "a.png"),
        ("s/pred_a_1.npy", "s/a_1.png"),
        ("s/000000_normal.png", "s/000000.png"),
        ("a.npy", "a.png"),
    ],
)
def test_other_programs_files_are_known_by_their_image(tmp_path, name, image):
    _touch(tmp_path, name, "depth_npy/a_depth.npy", "normal_colored/a_pred_colored.png")
    assert _images(tmp_path)[image] == name
    assert len(_images(tmp_path)) == 1


def test_a_folder_without_any_is_an_error(tmp_path):
    _touch(tmp_path, "a.depth.npy", "a.jpg")
    with pytest.raises(InputError, match="no files of normals"):
        frame_files.of_normals(tmp_path)


def test_some_are_chosen_evenly():
    assert frame_files.spread(range(10), 3) == [0, 3, 6]
    assert frame_files.spread(range(3), 10) == [0, 1, 2]


def test_reading_keeps_what_files_say_and_undoes_codes(tmp_path):
    values = torch.nn.functional.normalize(torch.randn(3, *SIZE), dim=0)
    values[:, 0, 0] = 0
    reading = Reading()
    Normals(tensor=values, frame="opengl").save(tmp_path / "a.normals.npy")
    assert (reading.normals(tmp_path / "a.normals.npy") - values).abs().max() < 1e-6
    assert (reading.said, reading.coded) == ({"opengl"}, 0)
    np.save(tmp_path / "b.npy", (values.numpy() + 1) / 2)
    read = reading.normals(tmp_path / "b.npy")
    assert (read - values)[:, 1:].abs().max() < 1e-5
    assert reading.coded == 1
    values[:, 0, 1] = float("nan")
    np.save(tmp_path / "c.npy", values.numpy() * 5)
    read = reading.normals(tmp_path / "c.npy")
    assert not read[:, 0, :2].any()
    assert (read - values)[:, 1:].abs().max() < 1e-5


@pytest.mark.parametrize("quantity", ["depth", "disparity", "sqrt_disparity", "log_depth"])
@pytest.mark.parametrize("says", [True, False])
def test_depth_of_any_quantity_keeps_the_signs_of_its_normals(tmp_path, quantity, says):
    rows, columns = torch.meshgrid(
        torch.linspace(0, 1, 40), torch.linspace(0, 1, 50), indexing="ij"
    )
    depth_m = 2 + rows + 0.5 * columns
    values = quantities.from_depth(depth_m, quantity)
    values = (values - values.min()) / (values.max() - values.min())
    path = tmp_path / "a.depth.npy"
    if says:
        Depth(tensor=values, quantity=quantity).save(path)
    else:
        np.save(path, values.numpy())
    read, valid = frame_files.read_depth(path, SIZE, None if says else quantity)
    truth = normals_of(depth_m, torch.ones(SIZE, dtype=torch.bool))
    assert compare(normals_of(read, valid), truth).declared > 0.5
    signs = normals_of(read, valid)[:, 5:-5, 5:-5].mean(dim=(1, 2)).sign()
    assert torch.equal(signs, truth.mean(dim=(1, 2)).sign())


def test_depth_in_any_unit_is_brought_to_scale_and_0_is_none(tmp_path):
    depth = np.full(SIZE, 1500, np.float32)
    depth[0] = 0
    maps.write_depth(tmp_path / "a.npy", depth, {})
    read, valid = frame_files.read_depth(tmp_path / "a.npy", SIZE, None)
    assert not valid[0].any()
    assert valid[1:].all()
    assert (read == 1).all()
    np.save(tmp_path / "a.npy", np.zeros(SIZE, np.float32))
    with pytest.raises(InputError, match="no pixel has a depth"):
        frame_files.read_depth(tmp_path / "a.npy", SIZE, None)
    with pytest.raises(SettingError, match="quantity 'inverse'"):
        frame_files.read_depth(tmp_path / "a.npy", SIZE, "inverse")


@pytest.mark.parametrize("otherwise", ["depth", "disparity"])
def test_what_a_file_says_goes_before_what_is_assumed(tmp_path, otherwise):
    depth_m = torch.linspace(1, 3, 12).reshape(3, 4)
    plain, ours = tmp_path / "a.npy", tmp_path / "b.depth.npz"
    np.save(plain, depth_m.numpy())
    Depth(tensor=depth_m, quantity="depth").save(ours)
    read = {
        path: frame_files.read_depth(path, (3, 4), None, otherwise=otherwise)[0]
        for path in (plain, ours)
    }
    assert read[ours][0, 0] < read[ours][2, 3]
    assert (read[plain][0, 0] < read[plain][2, 3]) == (otherwise == "depth")
