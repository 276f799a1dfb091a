import json
from typing import get_args

import pytest

from monostep.evaluation import rules
from monostep.evaluation.rules import DepthRules, Input, NormalsRules
from monostep.metrics import alignments


@pytest.mark.parametrize("kind", [DepthRules, NormalsRules])
def test_every_choice_is_written_down(kind):
    values = kind(protocol="p", input=Input(resolution=756, fit="reference")).as_dict()
    assert set(values) == set(kind.__dataclass_fields__)
    assert values["protocol"] == "p"
    assert values["input"]["resolution"] == 756
    json.dumps(values)


def test_a_model_is_judged_in_the_tasks_of_its_maps():
    assert rules.tasks_of(("normals", "depth")) == ("depth", "normals")
    assert rules.tasks_of(("normals",)) == ("normals",)


def test_equal_rules_are_equal():
    assert DepthRules(protocol="p") == DepthRules(protocol="p")
    assert DepthRules(protocol="p") != DepthRules(protocol="p", near_m=1e-3)


def test_every_alignment_of_the_rules_can_be_computed():
    assert set(get_args(rules.Alignment)) == set(get_args(alignments.Alignment))
