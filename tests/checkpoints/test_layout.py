import pytest

from monostep.checkpoints import layout
from monostep.errors import CheckpointError


def test_the_files_of_a_checkpoint_are_its_own_alone(tmp_path):
    assert layout.names(tmp_path) == ()
    inside = ["model_index.json", "unet/config.json", "vae/x.bin", "text_encoder/config.json"]
    for name in (*inside, "unet/deeper/x.bin", "logs/huge.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert layout.names(tmp_path) == tuple(sorted(inside))
    assert layout.names(tmp_path / "absent") == ()


@pytest.mark.parametrize("text", [None, "{,}", "[1]"])
def test_what_is_no_json_object_is_named(tmp_path, text):
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CheckpointError, match=r"config\.json: .*is this a model folder\?"):
        layout.read(path)
