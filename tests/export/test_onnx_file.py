import json

import onnx
import pytest

from monostep.export import onnx_file

# Making the file takes half a minute; `test_graph.py` has what is traced in the default suite.
pytestmark = pytest.mark.slow
SIZES = [(18, 24), (43, 31), (24, 24), (1, 1), (90, 40), (7, 200), (333, 123)]


@pytest.mark.parametrize("size", SIZES)
def test_onnxruntime_says_what_the_predictor_says(onnx_path, micro, noise, size):
    image = noise(*size)
    (maps,) = onnx_file.reader(onnx_path)(image[None])
    assert maps.shape == (1, *size)
    assert abs(maps[0] - micro("depth")(image).values).max() < 2e-5


def test_a_batch_of_any_length(onnx_path, noise):
    images = noise(3, 30, 20)
    run = onnx_file.reader(onnx_path)
    (maps,) = run(images)
    for image, values in zip(images, maps, strict=True):
        assert abs(run(image[None])[0][0] - values).max() < 1e-5


def test_the_file_says_what_it_is(onnx_path):
    model = onnx.load(onnx_path, load_external_data=False)
    onnx.checker.check_model(str(onnx_path))
    (image,), (depth,) = model.graph.input, model.graph.output
    assert (image.name, depth.name) == ("image", "depth")
    assert _shape(image) == ["batch", "height", "width", 3]
    assert _shape(depth) == ["batch", "height", "width"]
    assert image.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert depth.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    (entry,) = model.metadata_props
    about = json.loads(entry.value)
    assert entry.key == "monostep"
    assert about["card"]["name"] == "micro-depth"
    assert about["output"]["near"] == "small"


def test_large_weights_lie_beside_the_graph_and_are_found_by_name(onnx_path, noise, tmp_path):
    weights = onnx_path.with_name("model.onnx.data")
    assert sorted(onnx_path.parent.iterdir()) == [onnx_path, weights]
    for path in (onnx_path, weights):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    image = noise(1, 20, 30)
    (moved,) = onnx_file.reader(tmp_path / onnx_path.name)(image)
    (there,) = onnx_file.reader(onnx_path)(image)
    assert (moved == there).all()


def _shape(value):
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
