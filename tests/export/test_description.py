import json

from monostep.export.description import describe


def test_input_and_output_have_names_types_axes_and_meaning(micro, noise):
    predictor = micro("normals")
    about = describe(predictor, predictor(noise(20, 20)))
    assert about.outputs == ("normals",)
    values = json.loads(about.json)
    assert values["card"] == predictor.card.as_dict()
    assert values["input"]["shape"] == ["batch", "height", "width", 3]
    assert values["output"]["shape"] == ["batch", "height", "width", 3]
    assert values["output"]["axes"] == "x right, y down, z into the scene"
    assert values["output"]["frame"] == "opencv"
    assert values["output"]["provenance"]["resolution"] == predictor.card.resolution


def test_a_joint_models_outputs_are_told_by_name(micro_joint, noise):
    predictor = micro_joint()
    about = describe(predictor, predictor(noise(20, 20), domain="object"))
    assert about.outputs == ("depth", "normals")
    outputs = about.values["outputs"]
    assert [outputs[kind]["kind"] for kind in about.outputs] == ["depth", "normals"]
    assert outputs["normals"]["shape"] == ["batch", "height", "width", 3]
    assert outputs["depth"]["provenance"]["domain"] == "object"
    assert "output" not in about.values
    assert about.values["card"] == {**predictor.card.as_dict(), "domain": "object"}


def test_depth_says_which_end_is_near(micro, noise):
    predictor = micro("depth")
    output = describe(predictor, predictor(noise(20, 20))).values["output"]
    assert output["shape"] == ["batch", "height", "width"]
    assert (output["name"], output["type"], output["near"]) == ("depth", "float32", "small")
    assert output["invariance"] == "affine"
