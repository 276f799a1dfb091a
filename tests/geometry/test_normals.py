import json

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from monostep.errors import SettingError
from monostep.files import maps
from monostep.geometry.normals import Normals

VECTORS = F.normalize(torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(0)), dim=0)
FRAMES = ["opencv", "opengl", "directx", "dsine"]


def test_values_are_unit_vectors_with_the_channels_last():
    values = Normals(tensor=VECTORS).values
    assert values.dtype == np.float32
    assert values.shape == (5, 7, 3)
    assert values.flags.c_contiguous
    np.testing.assert_array_equal(values[2, 3], VECTORS[:, 2, 3])
    np.testing.assert_allclose(np.linalg.norm(values, axis=-1), 1, rtol=1e-6)


@pytest.mark.parametrize("frame", FRAMES)
def test_there_and_back_is_the_same_map(frame):
    normals = Normals(tensor=VECTORS, provenance={"model": "x"})
    there = normals.to(frame)
    assert there.frame == frame
    assert there.provenance == normals.provenance
    np.testing.assert_array_equal(there.to("opencv").values, normals.values)


def test_to_opengl_flips_y_and_z():
    turned = Normals(tensor=VECTORS).to("opengl").values
    np.testing.assert_array_equal(turned, Normals(tensor=VECTORS).values * np.float32([1, -1, -1]))


def test_an_unknown_frame_is_refused():
    with pytest.raises(SettingError, match="opengl"):
        Normals(tensor=VECTORS).to("maya")


@pytest.mark.parametrize("ending", ["npy", "npz", "png", "tiff", "exr"])
def test_what_is_saved_is_read_back_with_its_description(tmp_path, ending):
    normals = Normals(tensor=VECTORS).to("opengl")
    path = tmp_path / f"a.normals.{ending}"
    normals.save(path)
    values, about = maps.read_normals(path)
    if ending == "npy":
        about = json.loads(path.with_suffix(".json").read_text())
    np.testing.assert_allclose(values, normals.values, atol=0 if ending != "png" else 1e-4)
    assert about == normals.about()
    assert about["frame"] == "opengl"


@pytest.mark.parametrize(
    ("frame", "axes"),
    [
        ("opencv", "x right, y down, z into the scene"),
        ("opengl", "x right, y up, z towards the camera"),
        ("directx", "x right, y down, z towards the camera"),
        ("dsine", "x left, y up, z towards the camera"),
    ],
)
def test_the_description_says_where_the_axes_point(frame, axes):
    assert Normals(tensor=VECTORS).to(frame).about()["axes"] == axes


@pytest.mark.parametrize("frame", FRAMES)
def test_the_preview_does_not_depend_on_the_frame(frame):
    normals = Normals(tensor=VECTORS)
    np.testing.assert_array_equal(normals.to(frame).preview(), normals.preview())


def test_a_wall_that_faces_the_camera_is_blue():
    facing = torch.zeros(3, 2, 2)
    facing[2] = -1
    assert Normals(tensor=facing).preview()[0, 0].tolist() == [128, 128, 255]
