"""`monostep fold` as a user meets it: words, files and exit codes."""

import json
import sys
from functools import partial

import drawn_scenes
import joint_models
import micro_models
import numpy as np
import pytest
from PIL import Image

from monostep import cli
from monostep.checkpoints import folded, opening
from monostep.inspection import folding

SMALL = ((24, 32), (20, 28))
FOLD = folding.fold


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    place = tmp_path_factory.mktemp("models")
    micro_models.write(place / "depth", kl=True)
    micro_models.write(place / "normals", "normals")
    return place


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Call the program with arguments in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    monkeypatch.setattr(folding, "render", drawn_scenes.render)
    monkeypatch.setattr(folding, "fold", partial(FOLD, sizes=SMALL))

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["monostep", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, *capsys.readouterr()

    return call


def test_it_says_how_near_and_what_to_do_next(run, root, tmp_path, monkeypatch):
    monkeypatch.setattr(folding, "fold", FOLD)  # on pictures of its own sizes
    code, out, err = run("fold", root / "depth", "-o", "m.safetensors", "--dtype", "bf16")
    assert (code, err) == (0, "")
    exact, more, stored, again, last = out.splitlines()
    for line, what in [(exact, "folded, in float32"), (stored, "stored as bf16")]:
        assert line.strip().startswith(what)
        assert line.endswith("(of depth in [0, 1])")
        assert "off by" in line
    assert "96x128:" in exact
    assert "88x152:" in more
    assert "88x152:" in again
    assert last.startswith("m.safetensors: ")
    assert last.endswith("depth, 1 trailing step from zeros; predict with --model m.safetensors")
    assert folded.load(tmp_path / "m.safetensors").dimensions.channels == 1


def test_one_json_object_says_it_to_programs(run, root, tmp_path):
    asked = ["--steps", "2", "--noise", "gaussian", "--spacing", "leading", "--last", "previous"]
    code, out, err = run("fold", root / "normals", "-o", "sub/m.safetensors", *asked, "--json")
    assert (code, err) == (0, "")
    said = json.loads(out)
    assert (said["file"], said["dtype"], said["stored"]) == ("sub/m.safetensors", "fp32", [])
    assert [one["size"] for one in said["folded"]] == [list(size) for size in SMALL]
    assert all(0 < one["largest"] <= folding.TOLERANCES["normals"] for one in said["folded"])
    card = said["card"]
    assert (card["steps"], card["noise"], card["spacing"], card["last"]) == (
        *(2, "gaussian", "leading", "previous"),
    )
    assert folded.read_card(tmp_path / "sub/m.safetensors").as_dict() == card


def test_a_folded_file_predicts_like_its_checkpoint(run, root, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert run("fold", root / "depth", "-o", "m.safetensors")[0] == 0
    for model, place in ((root / "depth", "plain"), ("m.safetensors", "folded")):
        code, _, err = run("predict", "a.png", "--model", model, "--dtype", "fp32", "-o", place)
        assert code == 0, err
    plain, ours = (np.load(tmp_path / place / "a.depth.npy") for place in ("plain", "folded"))
    np.testing.assert_allclose(ours, plain, atol=1e-4)
    refused = run("predict", "a.png", "--model", "m.safetensors", "--steps", "2", "-o", "two")
    assert refused[0] == 2
    assert "folded" in refused[2]


@pytest.mark.slow
def test_both_maps_of_a_joint_model_are_said(run, tmp_path):
    joint_models.geometry_folder(tmp_path / "joint")
    asked = ["--attention", "separate", "--domain", "object"]
    code, out, err = run("fold", "joint", "-o", "m.safetensors", *asked)
    assert (code, err) == (0, "")
    *lines, last = out.splitlines()
    units = ["(of depth in [0, 1])", "(degrees)"] * 2
    assert all(line.endswith(unit) for line, unit in zip(lines, units, strict=True))
    assert last.endswith("geometry, 1 trailing step from zeros; predict with --model m.safetensors")
    card = folded.read_card(tmp_path / "m.safetensors")
    assert (card.attention, card.domain) == ("separate", "object")


def test_a_small_codec_takes_the_place_of_the_models(run, root, tmp_path):
    codec = f"tiny={root / 'normals'}"
    code, _, err = run("fold", root / "depth", "-o", "m.safetensors", "--codec", codec)
    assert (code, err) == (0, "")
    used = folded.load(tmp_path / "m.safetensors").dimensions.autoencoder
    assert used == opening.load(opening.find(root / "normals")).vae.config


def test_a_fold_that_differs_is_exit_1_and_no_file(run, root, tmp_path, monkeypatch):
    monkeypatch.setitem(folding.TOLERANCES, "depth", 0.0)
    code, out, err = run("fold", root / "depth", "-o", "m.safetensors")
    assert (code, out) == (1, "")
    assert "nothing was written" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["{root}/depth"], 2, "-o FILE.safetensors is missing"),
        (["{root}/depth", "-o", "m.bin"], 2, "m.bin: expected a name that ends in .safetensors"),
        (["{root}/depth", "-o", "m.safetensors", "--dtype", "fp8"], 2, "dtype 'fp8': choose"),
        (["{root}/depth", "-o", "m.safetensors", "--codec", "kl=x"], 2, "expected tiny=FOLDER"),
        (["{root}/depth", "-o", "m.safetensors", "--codec", "tiny=x"], 1, "x: no such folder"),
        (["{root}/depth", "-o", "m.safetensors", "--task", "normals"], 2, "predicts depth"),
        (["{root}/depth", "-o", "m.safetensors", "--noise", "pink"], 2, "noise 'pink'"),
        (
            ["{root}/depth", "-o", "m.safetensors", "--attention", "joint"],
            2,
            "predicts depth alone",
        ),
        (["{root}/depth", "-o", "m.safetensors", "--domain", "indoor"], 2, "leave domain out"),
        (["no-model", "-o", "m.safetensors"], 1, "no-model"),
        (["none.safetensors", "-o", "m.safetensors"], 1, "none.safetensors: no such file"),
        ([], 2, "SOURCE"),
    ],
)
def test_a_mistake_is_a_line_and_a_code(run, root, tmp_path, arguments, code, words):
    ended, out, err = run("fold", *(each.format(root=root) for each in arguments))
    assert (ended, out) == (code, "")
    assert words in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
