import pytest

from monostep.checkpoints import layout
from monostep.errors import CheckpointError


def test_the_files_of_a_checkpoint_are_its_own_alone(tmp_path):
    assert layout.names(tmp_path) == ()
    inside = ["model_index.json", "unet/config.json", "vae/x.bin", "text_encoder/config.json"]
    inside += ["unet_v2/config.json", "image_encoder/model.safetensors", "tokenizer/vocab.json"]
    inside += [layout.PREPROCESSOR_CONFIG]
    for name in (*inside, "unet/deeper/x.bin", "logs/huge.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert layout.names(tmp_path) == tuple(sorted(inside))
    assert layout.names(tmp_path / "absent") == ()


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 2,], "b": {"c": "d",},}',
        '{"a": [1, 2] , "b": {"c": "d"}\n,\n}\n',
    ],
)
def test_a_comma_after_the_last_entry_is_let_pass(tmp_path, text):
    (tmp_path / "model_index.json").write_text(text)
    assert layout.read(tmp_path / "model_index.json")["a"] == [1, 2]


def test_commas_inside_of_words_stay(tmp_path):
    (tmp_path / "x.json").write_text(r'{"a": "1,]", "b": "\",}", "c": null,}')
    assert layout.read(tmp_path / "x.json") == {"a": "1,]", "b": '",}', "c": None}


@pytest.mark.parametrize(
    "text",
    [None, "{,}", "[1]", "[1,]", '{"a": 1,,}', '{"a": [,]}', '{"a":,}', '{"a": 1,', "{\xff,}"],
)
def test_what_is_no_json_object_is_named(tmp_path, text):
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text, "latin-1")
    with pytest.raises(CheckpointError, match=r"config\.json: .*is this a model folder\?"):
        layout.read(path)
