import json

import joint_models
import marigold_folders
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from monostep.cli import app
from monostep.errors import CheckpointError, SettingError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("m") / "marigold"
    return marigold_folders.write(path, "marigold-depth-v1-0")


def _invoke(*arguments):
    result = CliRunner().invoke(app, ["inspect", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_settings_and_the_noise_of_each_step_are_printed(folder):
    result = _invoke(folder, "--steps", "2", "--prompt-tokens", "77")
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "run with spacing trailing" in lines
    assert "run with prompt tokens 77" in lines
    assert "spacing in scheduler file none (leading to diffusers)" in lines
    assert lines[-3:] == [
        "step timestep noise told noise given",
        "1 999 0.9977 1.0000",
        "2 499 0.8499 0.8499",
    ]
    assert result.stderr == ""


def test_the_flaw_is_a_warning(folder):
    result = _invoke(folder, "--steps", "1", "--spacing", "leading")
    assert " ".join(result.stdout.splitlines()[-1].split()) == "1 1 0.0413 1.0000"
    assert "use spacing trailing" in result.stderr


def test_json_is_one_object(folder):
    values = json.loads(_invoke(folder, "--json").stdout)
    assert values["facts"]["family"] == "diffusion"
    assert values["settings"]["steps"] == len(values["steps"]) == 1


def test_a_trajectory_compares_the_spacings_on_a_photo(folder, tmp_path):
    photo, output = tmp_path / "cat.png", tmp_path / "out"
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(photo)
    asked = ["--trajectory", photo, "-o", output, "--steps", "3", "--resolution", "0"]
    values = json.loads(_invoke(folder, *asked, "--json").stdout)
    assert [each["spacing"] for each in values["trajectory"]] == ["trailing", "leading"]
    assert (output / "cat.trajectory.png").is_file()
    assert len(list((output / "cat.leading").glob("step*.npy"))) == 3


def test_what_makes_no_sense_is_one_line(folder, tmp_path):
    with pytest.raises(SettingError, match="belong together"):
        _invoke(folder, "--trajectory", tmp_path / "cat.png")
    with pytest.raises(SettingError, match="choose trailing"):
        _invoke(folder, "--spacing", "even")
    with pytest.raises(CheckpointError, match="no-such-model"):
        _invoke("no-such-model")


def test_a_joint_model_is_described_and_both_of_its_maps_are_followed(tmp_path):
    joint = joint_models.geometry_folder(tmp_path / "joint")
    photo, output = tmp_path / "cat.png", tmp_path / "out"
    Image.fromarray(np.full((24, 32, 3), 90, np.uint8)).save(photo)
    asked = ["--steps", "2", "--domain", "outdoor", "--attention", "separate", "--resolution", "0"]
    result = _invoke(joint, *asked, "--spacing", "trailing", "--trajectory", photo, "-o", output)
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    for expected in (
        "attention separate",
        "run with domain outdoor",
        "run with prompt tokens none",
    ):
        assert expected in lines
    assert [line.split()[:2] for line in lines[-3:-1]] == [
        ["trailing", "depth"],
        ["trailing", "normals"],
    ]
    assert len(list((output / "cat.trailing.normals").glob("step*.npy"))) == 2


def test_words_and_another_unets_folder_are_named(tmp_path):
    joint = joint_models.geometry_folder(tmp_path / "joint", words=True)
    (joint / "unet").rename(joint / "unet_v2")
    lines = [
        " ".join(line.split()) for line in _invoke(joint, "--unet", "unet_v2").stdout.splitlines()
    ]
    assert "unet folder unet_v2" in lines
    assert "run with prompt tokens those that say the domain" in lines


def test_a_domain_is_for_joint_models(folder):
    with pytest.raises(SettingError, match="leave domain out"):
        _invoke(folder, "--domain", "outdoor")
