import re

import pytest

from monostep.errors import SettingError
from monostep.recipes import recipe
from monostep.training.overriding import override


def test_settings_are_read_as_their_fields_types():
    config = override(
        recipe("nano-depth"),
        ["steps=12", "learning_rate=1", "flip=false", "phases=[[0,8,8,2]]", "cache=a/b"],
    )
    assert (config.steps, config.learning_rate, config.flip) == (12, 1.0, False)
    assert config.phases == ((0.0, 8, 8, 2),)
    assert config.cache == "a/b"
    assert override(config, ["cache=none"]).cache is None
    assert override(config, ["stop=7"]).last == 7
    assert override(config, ["stop=none"]).last == 12


@pytest.mark.parametrize("text", ["a.jsonl,b c.csv", '["a.jsonl", "b c.csv"]', "a.jsonl, b c.csv,"])
def test_lists_are_json_or_separated_by_commas(text):
    config = override(recipe("nano-depth"), [f"data={text}", "weights=9,1"])
    assert config.data == ("a.jsonl", "b c.csv")
    assert config.weights == (9, 1)
    assert override(config, ["data=", "weights="]).data == ()


def test_every_recipe_has_its_own_settings():
    codec = override(recipe("distil-decoder"), ["teacher=m", "width=8", "encoder_blocks=[0,1,2]"])
    assert (codec.teacher, codec.width, codec.encoder_blocks) == ("m", 8, (0, 1, 2))
    assert override(codec, ["width=none"]).width is None
    with pytest.raises(SettingError, match="no setting 'autoencoder'"):
        override(codec, ["autoencoder=x"])
    with pytest.raises(SettingError, match=r"no setting 'width'; there are: .*start.*teacher"):
        override(recipe("distil-finetune"), ["width=8"])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("stepz=12", "no setting 'stepz'"),
        ("steps", "expected key=value"),
        ("steps=a", "expected int"),
        ("steps=1.5", "expected int"),
        ("stop=1.5", "expected int"),
        ("flip=1", "expected bool"),
        ("precision=fp8", "fp32, bf16"),
        ("task=normals", "no setting 'task'"),
        ("phases=[[0,8,8]]", "expected phases"),
        ("phases=[[0,480.7,640,2]]", "expected phases (got float)"),
        ("phases=[[0,480,640,true]]", "expected phases (got bool)"),
        ("phases=[[true,480,640,2]]", "expected phases (got bool)"),
        ("phases=[0,480,640,2]", "expected phases"),
        ("phases=[[]]", "expected phases"),
        ("encoder_blocks=1,x", "--set encoder_blocks=x: expected int"),
        ("encoder_blocks=[1,2.5]", "--set encoder_blocks=2.5: expected int"),
        ("encoder_blocks=[1,2", "[1,2: not a list"),
        ("trackers=wandb,paper", "--set trackers=paper: choose one of tensorboard, wandb"),
        ("near=true", "expected float"),
    ],
)
def test_a_bad_setting_is_one_clear_line(setting, message):
    with pytest.raises(SettingError, match=re.escape(message)) as error:
        override(recipe("distil-decoder"), [setting])
    assert "\n" not in str(error.value)
