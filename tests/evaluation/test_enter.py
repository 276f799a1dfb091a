import pytest
import tiny_models
import torch
from toy_benchmark import Toy

from monostep.checkpoints import embedded
from monostep.errors import CheckpointError, InputError, SettingError
from monostep.evaluation import enter
from monostep.evaluation.enter import Declared
from monostep.runner.models import Loading

BOTH, DEPTH = Toy(images=1), Toy(images=1, tasks=("depth",))


def test_models_are_loaded_by_name_each_with_its_settings_checked(tmp_path):
    depth = tiny_models.depth_folder(tmp_path / "depth")
    normals = tiny_models.normals_folder(tmp_path / "normals")
    how = Loading(device="cpu", dtype="fp32")
    found = enter.load([str(depth), str(normals)], how, {})
    assert [one.card.task for one in found] == ["depth", "normals"]
    assert {one.dtype for one in found} == {torch.float32}
    with pytest.raises(SettingError, match="brown"):
        enter.load([str(depth)], how, {"noise": "brown"})
    with pytest.raises(CheckpointError, match="no-such-model"):
        enter.load(["no-such-model"], how, {})


def test_without_names_the_embedded_models_of_the_right_tasks_enter(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "ROOT", tmp_path)
    with pytest.raises(SettingError, match=r"toy: no model .*--model"):
        enter.embedded_for([BOTH])
    tiny_models.depth_folder(tmp_path / "one")
    tiny_models.normals_folder(tmp_path / "two")
    assert enter.embedded_for([BOTH]) == ["one", "two"]
    assert enter.embedded_for([DEPTH]) == ["one"]
    assert enter.embedded_for([DEPTH, BOTH]) == ["one", "two"]


def test_folders_have_their_own_name_or_a_given_one(tmp_path):
    (tmp_path / "theirs").mkdir()
    plain, named = enter.predictions(
        [str(tmp_path / "theirs"), f"midas={tmp_path / 'theirs'}"], Declared(), [DEPTH]
    )
    assert (plain.name, named.name) == ("theirs", "midas")
    assert plain.task == "depth"


def test_the_way_a_folder_is_typed_does_not_change_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maps").mkdir()
    typed = ["maps", "maps/", "./maps", "maps/../maps/", f"{tmp_path}/maps/"]
    found = enter.predictions(typed, Declared(), [DEPTH])
    assert [one.name for one in found] == len(typed) * ["maps"]


@pytest.mark.parametrize(("words", "lacking"), [("x=", "no folder behind"), ("=x", "no name befo")])
def test_half_of_name_and_folder_is_asked_for(words, lacking):
    with pytest.raises(SettingError, match=f"predictions {words}: {lacking}.*NAME=DIR"):
        enter.predictions([words], Declared(), [BOTH])


def test_a_folder_with_an_equals_sign_in_its_path_is_found(tmp_path):
    odd = tmp_path / "lr=3e-5"
    odd.mkdir()
    (found,) = enter.predictions([str(odd)], Declared(), [DEPTH])
    assert found.name == "lr=3e-5"


@pytest.mark.parametrize(
    ("declared", "task"),
    [
        ({"task": "normals", "frame": "opencv"}, "normals"),
        ({"frame": "dsine"}, "normals"),
        ({"value_range": "0..1"}, "normals"),
        ({"quantity": "disparity"}, "depth"),
        ({"invariance": "metric"}, "depth"),
    ],
)
def test_what_is_declared_tells_the_task(tmp_path, declared, task):
    (found,) = enter.predictions([str(tmp_path)], Declared(**declared), [BOTH])
    assert found.task == task


def test_an_unclear_task_is_asked_for(tmp_path):
    with pytest.raises(SettingError, match="depth and normals: say with --task"):
        enter.predictions([str(tmp_path)], Declared(), [BOTH])
    assert enter.predictions([], Declared(), [BOTH]) == []


def test_a_missing_folder_and_an_unknown_word_are_named(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        enter.predictions([str(tmp_path / "nowhere")], Declared(task="depth"), [BOTH])
    with pytest.raises(SettingError, match="opencl"):
        enter.predictions([str(tmp_path)], Declared(frame="opencl"), [BOTH])
    with pytest.raises(SettingError, match="inverse"):
        enter.predictions([str(tmp_path)], Declared(quantity="inverse"), [BOTH])
