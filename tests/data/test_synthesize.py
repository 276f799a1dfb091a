import numpy as np
import torch
from PIL import Image

from monostep.data.procedural import render
from monostep.data.synthesize import synthesize
from monostep.files.atomic import read_json
from monostep.files.maps import read_depth, read_normals


def test_written_scenes_read_back_as_rendered_and_are_written_once(tmp_path):
    size = (12, 16)
    assert synthesize(tmp_path, seed=1, indices=range(5, 8), size=size) == 3
    samples = render(1, range(5, 8), size)
    for row, index in enumerate(range(5, 8)):
        stem = tmp_path / f"{index:06d}"
        depth_m, _ = read_depth(f"{stem}.depth.npy")
        normals, _ = read_normals(f"{stem}.normals.npy")
        image = np.asarray(Image.open(f"{stem}.png"), dtype=np.float32) / 255
        about = read_json(f"{stem}.json")
        assert torch.equal(torch.from_numpy(depth_m), samples.depth_m[row])
        assert torch.equal(torch.from_numpy(normals).permute(2, 0, 1), samples.normals[row])
        assert (
            np.abs(image.transpose(2, 0, 1) - samples.image[row].numpy()).max() <= 0.5 / 255 + 1e-6
        )
        assert about["depth"]["unit"] == "m"
        assert about["intrinsics_px"] == samples.intrinsics[row].tolist()
    assert synthesize(tmp_path, seed=1, indices=range(5, 8), size=size) == 0
    (tmp_path / "000006.depth.npy").unlink()
    assert synthesize(tmp_path, seed=1, indices=range(5, 8), size=size) == 1
    assert synthesize(tmp_path, seed=2, indices=[5], size=size) == 1
