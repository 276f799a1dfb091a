import joint_models
import pytest

from monostep.checkpoints import asking
from monostep.checkpoints.card import Card
from monostep.errors import SettingError

DEPTH = Card(name="d", task="depth", quantity="depth", invariance="affine")
NORMALS = Card(name="n", task="normals", frame="opengl")
JOINT = joint_models.CARD


def test_a_cards_own_task_and_frame_may_be_asked_for_and_no_other():
    asking.check_asked(DEPTH, task=None, frame=None)
    asking.check_asked(DEPTH, task="depth", frame=None)
    asking.check_asked(NORMALS, task="normals", frame="opengl")
    for task in ("depth", "normals", "geometry", None):
        asking.check_asked(JOINT, task=task, frame="opencv")
    for card, asked in (
        (DEPTH, {"task": "normals", "frame": None}),
        (DEPTH, {"task": None, "frame": "opengl"}),
        (NORMALS, {"task": None, "frame": "dsine"}),
        (JOINT, {"task": None, "frame": "dsine"}),
        (JOINT, {"task": "albedo", "frame": None}),
    ):
        with pytest.raises(SettingError, match="leave"):
            asking.check_asked(card, **asked)


def test_a_joint_model_is_taken_whole_where_its_maps_are_not_told_apart():
    for card, task in ((JOINT, None), (JOINT, "geometry"), (DEPTH, "depth"), (NORMALS, "normals")):
        asking.check_whole(card, task)
    for task in ("depth", "normals"):
        message = f"task '{task}': tiny-geometry .* leave task out and take .{task} of the result"
        with pytest.raises(SettingError, match=message):
            asking.check_whole(JOINT, task)


def test_attention_is_a_choice_of_joint_models_alone():
    assert asking.attending(JOINT, None) is JOINT
    assert asking.attending(JOINT, "separate").attention == "separate"
    assert asking.attending(asking.attending(JOINT, "separate"), "joint") == JOINT
    with pytest.raises(SettingError, match="attention 'both': choose joint or separate"):
        asking.attending(JOINT, "both")
    assert asking.attending(DEPTH, None) is DEPTH
    with pytest.raises(SettingError, match="predicts depth alone; leave attention out"):
        asking.attending(DEPTH, "joint")
