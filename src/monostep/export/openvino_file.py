"""OpenVINO: the ONNX graph as its runtime reads it, an .xml with a .bin of weights beside it."""

from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from torch.export import ExportedProgram

from monostep.export import onnx_file
from monostep.export.description import KEY, Description, Images, Maps, Run


def write(program: ExportedProgram, path: Path, description: Description) -> None:
    """Write graph and weights, in float32."""
    openvino = _library()

    with TemporaryDirectory(dir=path.parent) as folder:
        between = Path(folder) / "model.onnx"
        onnx_file.write(program, between, description)
        model = openvino.Core().read_model(between)
        model.set_rt_info(description.json, [KEY])
        openvino.save_model(model, path, compress_to_fp16=False)


def reader(path: Path) -> Run:
    """The written file in OpenVINO, on the CPU and in float32."""
    openvino = _library()

    model = openvino.Core().read_model(path)
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(images: Images) -> tuple[Maps, ...]:
        return tuple(np.array(maps) for maps in compiled([images]).values())

    return run


def _library() -> Any:
    """No part of any extra: who wants this format installs it."""
    return import_module("openvino")
