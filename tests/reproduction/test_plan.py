import dataclasses

import pytest

from monostep.errors import SettingError
from monostep.files.atomic import read_json, write_json
from monostep.recipes import RECIPES, recipe
from monostep.reproduction import plan
from monostep.reproduction.budget import BUDGETS
from monostep.reproduction.margins import MARGINS


def test_a_study_goes_on_as_it_began(tmp_path):
    assert plan.begun(tmp_path) is None
    assert not plan.check(tmp_path, BUDGETS["cpu"])
    plan.begin(tmp_path, BUDGETS["cpu"])
    first = plan.begun(tmp_path)
    assert first is not None
    assert first["margins"].keys() == MARGINS.keys()
    plan.begin(tmp_path, BUDGETS["cpu"])
    assert plan.begun(tmp_path) == first


def test_another_budget_or_other_recipes_are_refused(tmp_path, monkeypatch):
    plan.begin(tmp_path, BUDGETS["cpu"])
    with pytest.raises(SettingError, match="holds a study of budget cpu, this is gpu; choose"):
        plan.check(tmp_path, BUDGETS["gpu"])
    longer = dataclasses.replace(recipe("miniature-latent"), steps=800)
    monkeypatch.setitem(RECIPES, "miniature-latent", lambda: longer)
    with pytest.raises(SettingError, match="began with other recipes"):
        plan.begin(tmp_path, BUDGETS["cpu"])


def test_other_scenes_are_refused(tmp_path):
    plan.begin(tmp_path, BUDGETS["quick"])
    with pytest.raises(SettingError, match="began with other scenes"):
        plan.check(tmp_path, dataclasses.replace(BUDGETS["quick"], images=8))


def test_margins_are_kept_as_they_were(tmp_path):
    plan.begin(tmp_path, BUDGETS["quick"])
    path = tmp_path / plan.FILE
    write_json(path, {**read_json(path), "margins": {}})
    assert plan.check(tmp_path, BUDGETS["quick"])
    began = plan.begun(tmp_path)
    assert began is not None and began["margins"] != plan.limits()


def test_where_the_margins_come_from_is_kept(tmp_path, monkeypatch):
    plan.begin(tmp_path, BUDGETS["quick"])
    monkeypatch.setattr(plan, "origin", lambda: "a later commit")
    began = plan.begun(tmp_path)
    assert began is not None and began["margins_of"].split()[0] in ("commit", "monostep")
