import json
import pickle

import drawn_scenes
import pytest
import torch

from monostep.data.procedural import render
from monostep.data.samples import KINDS
from monostep.data.splits import SEEDS
from monostep.errors import SettingError
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.rules import BY_IMAGE, Input
from monostep.evaluation.sets import procedural
from monostep.evaluation.sets.procedural import Procedural

SMALL = Procedural(images=5, height=12, width=16)


@pytest.fixture(scope="module")
def cases():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(procedural, "render", drawn_scenes.render)
        return [SMALL.load(index) for index in range(5)]


def test_it_is_a_benchmark_of_numbered_scenes(cases):
    assert isinstance(SMALL, Benchmark)
    assert list(SMALL.names) == ["000000", "000001", "000002", "000003", "000004"]
    assert [case.name for case in cases] == list(SMALL.names)
    assert {task: rules.protocol for task, rules in SMALL.rules.items()} == {
        "depth": "procedural-1",
        "normals": "procedural-1",
    }


def test_they_are_the_scenes_of_the_seed_with_their_kinds(cases):
    samples = drawn_scenes.render(SMALL.seed, range(5), (12, 16))
    torch.testing.assert_close(torch.stack([case.image for case in cases]), samples.image)
    torch.testing.assert_close(torch.stack([case.depth_m for case in cases]), samples.depth_m)
    assert [case.stratum for case in cases] == [KINDS[k] for k in samples.kind]
    assert [case.domain for case in cases] == [KINDS[k] for k in samples.kind]
    shown = [rules.input for rules in Procedural().rules.values()]
    assert shown == [Input(domain=BY_IMAGE)] * 2


def test_depth_is_judged_on_surfaces_within_the_cap_and_normals_on_all(cases):
    for case in cases:
        assert (case.depth_m[case.depth_valid] <= 80).all()
        assert (case.depth_m[case.depth_valid] > 0).all()
        left_out = case.normals_valid & ~case.depth_valid
        assert (case.depth_m[left_out] > 80).all()
        length = torch.linalg.vector_norm(case.normals, dim=0)[case.normals_valid]
        torch.testing.assert_close(length, torch.ones_like(length))


def test_the_picture_is_left_out_unless_it_is_wanted():
    one = Procedural(images=1, height=4, width=4)
    assert one.load(0, image=False).image is None
    # and the renderer is the one that draws training scenes
    torch.testing.assert_close(one.load(0).image, render(SMALL.seed, [0], (4, 4)).image[0])


def test_every_choice_can_be_written_down_and_sent_to_a_worker():
    about = json.loads(json.dumps(SMALL.about()))
    assert (about["height"], about["far_m"], about["baseline_scenes"]) == (12, 80.0, 1000)
    assert about["renderer"] >= 1
    assert pickle.loads(pickle.dumps(SMALL)) == SMALL


def test_what_is_measured_on_is_never_what_was_trained_on():
    assert Procedural().seed == SEEDS["test"]
    assert Procedural().baseline_seed == SEEDS["train"]
    assert len(set(SEEDS.values())) == 3


@pytest.mark.parametrize("field", ["images", "height", "width", "baseline_scenes"])
def test_nothing_to_render_is_refused(field):
    with pytest.raises(SettingError, match=field):
        Procedural(**{field: 0})
