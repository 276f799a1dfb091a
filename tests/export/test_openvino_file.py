import json
import shutil

import pytest

from monostep.export import openvino_file

openvino = pytest.importorskip("openvino")


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
        assert_close(run(image[None])[0], micro("depth")(image).values, size)
    about = openvino.Core().read_model(path).get_rt_info(["monostep"]).astype(str)
    assert json.loads(about) == description.values
