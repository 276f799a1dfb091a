import json
import shutil

import numpy as np
import pytest
import torch
from torch import nn
from torch.export import Dim

from monostep.export import openvino_file

openvino = pytest.importorskip("openvino")


class Brightness(nn.Module):
    """From bytes of images to the means of their channels: a graph that is written in no time."""

    def forward(self, image):
        return image.float().mean(dim=3)


def test_openvino_says_what_a_small_program_says(description, noise, tmp_path):
    sizes = {0: Dim("batch"), 1: Dim("height"), 2: Dim("width")}
    example = torch.zeros(5, 211, 173, 3, dtype=torch.uint8)
    program = torch.export.export(Brightness(), (example,), dynamic_shapes=(sizes,))
    path = tmp_path / "model.xml"
    openvino_file.write(program, path, description)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["model.bin", "model.xml"]
    run = openvino_file.reader(path)
    for size in [(2, 18, 24), (1, 43, 31), (1, 1, 1)]:
        images = noise(*size)
        (maps,) = run(images)
        np.testing.assert_allclose(maps, images.mean(axis=3), rtol=1e-6)
    about = openvino.Core().read_model(path).get_rt_info(["monostep"]).astype(str)
    assert json.loads(about) == description.values


@pytest.mark.slow
def test_openvino_says_what_the_predictor_says(
    onnx_path, description, program, micro, noise, assert_close, tmp_path, monkeypatch
):
    def same(_program, path, _description):
        for file in onnx_path.parent.iterdir():
            shutil.copy(file, path.with_name(file.name))

    monkeypatch.setattr(openvino_file.onnx_file, "write", same)  # once is enough
    path = tmp_path / "model.xml"
    openvino_file.write(program, path, description)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["model.bin", "model.xml"]
    run = openvino_file.reader(path)
    for size in [(18, 24), (43, 31), (1, 1), (90, 40), (333, 123)]:
        image = noise(*size)
        assert_close(run(image[None])[0][0], micro("depth")(image).values, size)
    about = openvino.Core().read_model(path).get_rt_info(["monostep"]).astype(str)
    assert json.loads(about) == description.values
