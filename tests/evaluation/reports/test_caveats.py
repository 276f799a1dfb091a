import pytest

from monostep.evaluation.reports.caveats import caveats
from monostep.evaluation.rules import Input, NormalsRules
from monostep.evaluation.sets.depth_rules import depth_rules

INFERENCE = {
    "resolution": 0,
    "fit": "reference",
    "steps": 1,
    "ensemble": 1,
    "noise": "zeros",
    "spacing": "trailing",
}


def _values(benchmark="nyuv2", protocol="marigold-2024", **changes):
    if benchmark == "sintel":
        rules = NormalsRules(protocol=protocol, input=Input(resolution=0, fit="reference"))
    else:
        rules = depth_rules(benchmark, protocol)
    settings = {**rules.as_dict(), "inference": dict(INFERENCE)}
    if settings.get("far_m") == float("inf"):
        settings["far_m"] = None
    return {
        "benchmark": benchmark,
        "protocol": protocol,
        "model": "m",
        "task": "normals" if benchmark == "sintel" else "depth",
        "settings": settings,
        "source": {"id": "GonzaloMG/marigold-e2e-ft-depth"},
        "data": {"is_reference_list": True},
        "failed": [],
        **changes,
    }


def test_the_published_way_has_none():
    assert caveats(_values()) == []
    eth3d = _values("eth3d")
    eth3d["settings"]["inference"]["resolution"] = 756
    assert caveats(eth3d) == []
    assert caveats(_values("sintel", "e2e-ft-2024")) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"failed": [{}, {}]}, "2 images could not be judged"),
        ({"without_value": {"abs_rel": 3, "boundary_f1": 9}}, "3 images have no abs_rel"),
        ({"data": {"is_reference_list": False}}, "the list of images is not the published one"),
        ({"data": {"is_reference_list": False, "missing": 7}}, "7 images of the list are missing"),
        ({"data": {"is_reference_list": True, "only_first": 5}}, "only the first 5 images"),
        (
            {"data": {"is_reference_list": False, "only_first": 5, "missing": 7}},
            "only the first 5 images",
        ),
    ],
)
def test_other_images_are_named(changes, words):
    [line] = caveats(_values(**changes))
    assert words in line


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("alignment", "scale", "alignment is scale, not the protocol's None"),
        ("far_m", 80.0, "far_m is 80.0, not the protocol's 10.0"),
    ],
)
def test_other_rules_are_named(name, value, line):
    values = _values()
    values["settings"][name] = value
    assert caveats(values) == [line]


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("resolution", 768, "resolution is 768, not the protocol's 0"),
        ("fit", "pad", "fit is pad, not the protocol's reference"),
        ("steps", 4, "no published row ran this checkpoint with steps 4, ensemble 1"),
    ],
)
def test_another_way_of_running_the_model_is_named(name, value, line):
    values = _values()
    values["settings"]["inference"][name] = value
    [found] = caveats(values)
    assert found.startswith(line)


def _joint(**changes):
    values = _values(source={"id": "GonzaloMG/geowizard-e2e-ft"})
    values["settings"]["attention"] = changes.pop("attention", "separate")
    values["settings"]["inference"] |= {"domain": "indoor", **changes}
    return values


def test_a_joint_model_runs_as_published_without_joint_attention_and_indoors():
    assert caveats(_joint()) == []
    [line] = caveats(_joint(attention="joint"))
    assert line.endswith("noise zeros, spacing trailing, attention joint")
    assert caveats(_joint(domain="outdoor")) == ["domain is outdoor, not the protocol's indoor"]


def test_colours_matter_to_models_and_not_to_predictions():
    [line] = caveats(_values("sintel", "dsine-2024", source={}))
    assert "stretched (protocol e2e-ft-2024)" in line
    predictions = _values("sintel", "dsine-2024")
    del predictions["settings"]["inference"]
    assert caveats(predictions) == []


def test_a_checkpoint_without_published_row_has_no_published_settings():
    values = _values(source={"id": "somebody/else"})
    values["settings"]["inference"]["steps"] = 4
    assert caveats(values) == []
