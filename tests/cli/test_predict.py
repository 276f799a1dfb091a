"""`monostep predict` as a user meets it: words, files and exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import joint_models
import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image

import monostep
from monostep import cli, inference, loading
from monostep.checkpoints import embedded
from monostep.diffusion import noise
from monostep.feedforward.network import FeedForward
from monostep.geometry import frames
from monostep.geometry.domain import DOMAINS
from monostep.pictures import as_tensor
from monostep.runner import settings

ODD_FILES = Path(__file__).parents[2].parent / "shared/data/robustness"
EACH = 7  # files that both models write for an image


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> list[str]:
    root = tmp_path_factory.mktemp("models")
    tiny_models.depth_folder(root / "nano-depth")
    tiny_models.normals_folder(root / "nano-normals")
    return ["--model", str(root / "nano-depth"), "--model", str(root / "nano-normals")]


@pytest.fixture(scope="module", autouse=True)
def _read_weights_once():
    """Reading the same weights again for every run is most of the time of these tests."""
    original = loading.open_checkpoint
    known = {}

    def open_checkpoint(found, **how):
        key = (found.folder, found.card.tensor_hash, tuple(how.values()))
        return known.get(key) or known.setdefault(key, original(found, **how))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "open_checkpoint", open_checkpoint)
        yield


@pytest.fixture
def run(tmp_path, monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """Call the program's main function with arguments: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["monostep", "predict", *arguments])
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as ended:
                cli.main()
        finally:
            signal.signal(signal.SIGTERM, before)
        assert isinstance(ended.value.code, int)
        return ended.value.code, *capsys.readouterr()

    return call


def picture(path: str, seed: int = 0) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return Path(path)


def files(folder: str = "out") -> list[Path]:
    return [path for path in Path(folder).rglob("*") if path.is_file()]


def test_a_table_of_what_was_written_and_then_of_what_was_skipped(run, models):
    picture("photos/a.png")
    code, out, err = run("photos", "-o", "out", *models)
    assert (code, err) == (0, "")
    head, row = out.splitlines()
    assert head.split("\t") == ["file", "size", "ms", "written"]
    assert re.fullmatch(r"photos/a\.png\t24x16\t\d+\t7 files", row)
    assert len(files()) == EACH
    assert run("photos", "-o", "out", *models)[1].endswith("skipped (complete)\n")
    assert run("photos", "-o", "out", *models, "--overwrite")[1].endswith("7 files\n")


def test_quiet_says_nothing_and_verbose_says_what_was_changed(run, models):
    Image.new("RGBA", (8, 8), (0, 0, 0, 9)).save("a.png")
    assert run("a.png", "-o", "out", *models, "-q") == (0, "", "")
    code, out, err = run("a.png", "-o", "out", *models, "-v")
    assert code == 0, (out, err)
    assert "depth on cpu: model tiny-depth, " in err
    assert ", frame opencv" in err
    assert "a.png: alpha composited on white" in err


def test_json_is_one_object_for_each_input(run, models):
    picture("a.png")
    Path("bad.png").write_bytes(b"?")
    code, out, err = run("a.png", "bad.png", "gone.png", "-o", "out", *models, "--json")
    assert code == 3
    lines = {line["input"]: line for line in map(json.loads, out.splitlines())}
    assert lines.keys() == {"a.png", "bad.png", "gone.png"}
    assert lines["a.png"]["status"] == "written"
    assert lines["a.png"]["size"] == [24, 16]
    assert lines["a.png"]["milliseconds"] > 0
    assert sorted(lines["a.png"]["outputs"]) == sorted(map(str, files()))
    for name in ("bad.png", "gone.png"):
        assert lines[name]["status"] == "failed"
        assert lines[name]["error"] in err
    assert err.count("\n") == 2


def test_one_task_one_frame_one_format(run, models):
    picture("a.png")
    code, _, _ = run("a.png", "-o", "out", *models[2:], "--format", "npz", "--frame", "dsine")
    assert code == 0
    assert {path.name for path in files()} == {"a.normals.npz", "a.json"}


def test_names_from_a_list_and_odd_ones_are_shown_safely(run, models):
    names = ["[red]a.png", "new\nline.png", os.fsdecode(b"\xff.png")]
    for name in names:
        picture("b.png").rename(name)
    Path("list").write_bytes(b"\n".join(os.fsencode(names[i]) for i in (0, 2)) + b"\ngone.png\n")
    code, out, err = run(names[1], "--list-file", "list", "-o", "out", *models[:2])
    assert code == 3
    assert [line.split("\t")[0] for line in out.splitlines()[1:]] == [
        "gone.png",
        "new\\nline.png",
        "[red]a.png",
        "\\udcff.png",
    ]
    assert err == "monostep: gone.png: no such file or folder; check the path\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.png"], "-o DIR is missing"),
        (["-o", "out"], "no input"),
        (["gone.png", "-o", "out"], "gone.png: no such file"),
        (["a.png", "-o", "out", "--format", "bmp"], "'bmp'"),
        (["a.png", "-o", "out", "--frame", "left"], "opengl"),
        (["a.png", "-o", "out", "--task", "colour"], "choose depth or normals"),
        (["a.png", "-o", "out", "--format", "exr,exr-half"], "share a name"),
        (["a.png", "-o", "out", "--network-frame", "left"], "left"),
        (["a.png", "-o", "out", "--denoise-steps", "2000"], "2000"),
        (["a.png", "-o", "out", "--ensemble-size", "0"], "ensemble 0"),
        (["a.png", "-o", "out", "--spacing", "lcm"], "consistency"),
        (["a.png", "-o", "out", "--spacing", "even"], "'even'"),
        (["a.png", "-o", "out", "--noise", "pink"], "tiny-depth: noise 'pink': choose zeros"),
        (["a.png", "-o", "out", "--fit", "crop"], "choose pad, reference"),
        (["a.png", "-o", "out", "--last", "first"], "choose clean, previous"),
        (["a.png", "-o", "out", "--merge", "mean"], "choose pairwise, joint"),
        (["a.png", "-o", "out", "--seed", "-1"], "seed"),
        (["a.png", "-o", "out", "--revision", "main"], "revision"),
        (["a.png", "-o", "out", "--prompt-tokens", "3"], "77"),
        (["a.png", "-o", "out", "--dtype", "int8"], "fp16"),
        (["a.png", "-o", "out", "--fp16", "--dtype", "bf16"], "contradict"),
        (["a.png", "-o", "out", "--device", "abacus"], "abacus"),
        (["a.png", "-o", "out", "--processing-res", "-1"], "resolution -1"),
        (["a.png", "-o", "out", "--list-file", "gone"], "gone"),
        (["a.png", "-o", "out", "--domain", "indoor"], "tiny-depth: domain 'indoor'"),
        (["a.png", "-o", "out", "--attention", "joint"], "attention 'joint'"),
    ],
)
def test_wrong_usage_ends_before_any_work(run, models, arguments, said):
    picture("a.png")
    code, out, err = run(*arguments, *models[:2])
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("option", "choices"),
    [
        ("--fit", inference.FITS),
        ("--noise", noise.KINDS),
        ("--last", inference.LASTS),
        ("--merge", [*inference.MERGES["depth"], *inference.MERGES["normals"]]),
        ("--domain", DOMAINS),
        ("--spacing", ["trailing", "leading", "linspace"]),
        ("--format", [word for word in settings.FORMATS if word != "tif"]),
        ("--frame", frames.SIGNS),
    ],
)
def test_help_lists_the_choices(run, option, choices):
    _, out, _ = run("--help")
    words = " ".join(out.replace("│", " ").split())
    said = words[words.index(f" {option} ") :].split(" --", 2)[1]
    assert all(choice in said for choice in choices)


def test_settings_that_were_asked_for_are_those_of_the_results(run, models):
    picture("a.png")
    asked = {
        "resolution": 32,
        "fit": "reference",
        "steps": 3,
        "ensemble": 2,
        "spacing": "leading",
        "noise": "gaussian",
        "seed": 9,
        "last": "previous",
        "merge": "joint",
    }
    options = [word for name, value in asked.items() for word in (f"--{name}", str(value))]
    code, _, err = run("a.png", "-o", "out", *models[:2], "--format", "npy", *options)
    assert code == 0, err
    record = json.loads(Path("out/a.json").read_text())["maps"]["depth"]
    assert record["made_by"].items() >= asked.items()
    assert record["about"]["provenance"].items() >= asked.items()
    model = monostep.load(models[1])
    (expected,) = model.predict([as_tensor("a.png")], model.inference(**asked))
    np.testing.assert_array_equal(np.load("out/a.depth.npy"), expected.values)
    uncertainty = expected.uncertainty.numpy()
    np.testing.assert_array_equal(np.load("out/a.depth.uncertainty.npy"), uncertainty)


def test_each_caution_is_one_line_before_the_run(run, models):
    picture("photos/a.png")
    picture("photos/b.png")
    wrong = ["--spacing", "leading", "--noise", "gaussian"]
    code, _, err = run("photos", "-o", "out", *models, *wrong)
    assert code == 0
    lines = err.splitlines()
    assert all(line.startswith("monostep: warning: tiny-") for line in lines)
    assert len(lines) == len(set(lines)) == 4  # two models: the flaw, and not what they learned
    assert "trailing" in lines[0]
    quiet = run("photos", "-o", "out2", *models, *wrong, "-q")
    assert quiet == (0, "", "".join(f"{line}\n" for line in lines))


def test_what_is_without_effect_is_told(run, models):
    picture("a.png")
    _, _, err = run("a.png", "-o", "out", *models[:2], "--seed", "3", "--frame", "opengl")
    assert "seed 3: without effect, tiny-depth draws no noise" in err
    assert "frame opengl: without effect" in err
    _, _, err = run("a.png", "-o", "o2", *models[:2], "--seed", "3", "--noise", "gaussian")
    assert "draws no noise" not in err


def test_memory_that_ends_is_one_line(run, models, monkeypatch):
    for index in range(4):
        picture(f"photos/{index}.png", seed=index)
    encode = FeedForward.encode

    def small(self, image):
        if len(image) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
        return encode(self, image)

    monkeypatch.setattr(FeedForward, "encode", small)
    code, _, err = run("photos", "-o", "out", *models, "--batch-size", "4")
    assert code == 0
    assert err == "monostep: out of memory with 4 images at once; going on with 2\n"


def test_two_models_of_one_task_are_wrong_usage(run, models, tmp_path):
    picture("a.png")
    other = str(tiny_models.depth_folder(tmp_path / "other", seed=7))
    code, _, err = run("a.png", "-o", "out", *models, "--model", other)
    assert code == 2
    assert other in err


def test_a_model_that_is_not_there_is_one_line(run):
    picture("a.png")
    code, _, err = run("a.png", "-o", "out", "--model", "nowhere")
    assert code == 1
    assert re.fullmatch("monostep: model 'nowhere'.*\n", err)


def test_a_joint_model_writes_both_maps_for_where_the_images_were_taken(run, tmp_path):
    for index in range(2):
        picture(f"photos/{index}.png", seed=index)
    joint = ["--model", str(joint_models.geometry_folder(tmp_path / "joint")), "--format", "npy"]
    options = [*joint, "--domain", "object", "--noise", "gaussian"]
    code, out, err = run("photos", "-o", "out", *options, "--json", "-v")
    assert code == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["status"] for line in lines] == ["written"] * 2
    names = [Path(name).name for name in lines[1]["outputs"]]
    assert names == ["1.depth.npy", "1.normals.npy", "1.json"]
    for task in ("depth", "normals"):
        assert f"{task} on cpu: model tiny-geometry, " in err
    assert err.count(", domain object, attention joint") == 2
    assert err.count("was fine-tuned for 1 trailing step") == 1  # one model, one warning
    assert run("photos", "-o", "out", *options)[1].count("skipped") == 2
    run("photos/0.png", "-o", "one", *joint, "--task", "depth")
    assert {path.name for path in files("one")} == {"0.depth.npy", "0.json"}


def test_without_a_model_the_embedded_ones_run_and_say_what_they_are(run, models, monkeypatch):
    monkeypatch.setattr(embedded, "ROOT", Path(models[1]).parent)
    picture("a.png")
    code, _, err = run("a.png", "-o", "out")
    assert (code, len(files())) == (0, EACH)
    assert err.count("\n") == 1
    assert "self-test models" in err
    assert "tiny-depth (test abs_rel 0.25, delta1 0.5)" in err
    assert "tiny-normals (not measured)" in err
    assert "--model e2e-depth --model e2e-normals gets the published ones" in err
    run("a.png", "-o", "depth", "--task", "depth", "--format", "npy")
    assert {path.name for path in files("depth")} == {"a.depth.npy", "a.json"}


def test_nothing_but_failures_is_a_failure(run, models):
    Path("bad.png").write_bytes(b"?")
    code, _, err = run("bad.png", "-o", "out", *models, "-q")
    assert code == 1
    assert err.startswith("monostep: bad.png: ")


def test_an_output_folder_that_cannot_be_is_one_line(run, models):
    picture("a.png")
    Path("out").touch()
    code, out, err = run("a.png", "-o", "out/deep", *models)
    assert (code, out, err.count("\n")) == (1, "", 1)


def test_every_odd_file_ends_in_outputs_or_one_clear_line(run, models):
    if not ODD_FILES.is_dir():
        pytest.skip("real data not present")
    small = ["--format", "npy", "--json"]  # the formats have their own tests
    code, out, err = run(str(ODD_FILES), "-o", "out", *models[:2], *small)
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 3
    assert len(lines) == len(list(ODD_FILES.rglob("*.*")))
    failed = [line for line in lines if line["status"] == "failed"]
    assert {Path(line["input"]).name for line in failed} == {
        "heif_corrupted_corrupted.heic",
        "broken.png",
        "decompression_bomb.gif",
        "truncated_image.png",
        "truncated_jpeg.jpg",
    }
    assert err.splitlines() == [f"monostep: {line['error']}" for line in failed]
    for line in lines:
        if line["status"] == "written":
            width, height = line["size"]
            assert np.load(line["outputs"][0]).shape == (height, width)
            assert all(Path(name).is_file() for name in line["outputs"])


def test_signals_end_with_their_codes_and_leave_nothing_half_written(models, tmp_path):
    for index in range(300):
        picture(str(tmp_path / f"photos/{index}.png"), seed=index)
    for each, code in {signal.SIGTERM: 143, signal.SIGINT: 130}.items():
        process = _start(models, tmp_path, str(each.value))
        assert process.stdout is not None
        assert process.stdout.readline().startswith("{")  # in the middle of its work
        process.send_signal(each)
        _, err = process.communicate(timeout=60)
        assert process.returncode == code
        assert "Traceback" not in err
        _check_whole(tmp_path / str(each.value))


def _start(models: list[str], folder: Path, output: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "monostep", "predict", "photos", "-o", output, "--json"]
    return subprocess.Popen(
        [*command, *models],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        # A shell's background job, as which the suite may run, hands down that SIGINT be ignored.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def _check_whole(folder: Path) -> None:
    records = list(folder.glob("*.json"))
    assert 0 < len(records) < 300
    assert not list(folder.glob(".*"))
    for record in records:
        maps = json.loads(record.read_text())["maps"]
        for name, file in (item for each in maps.values() for item in each["files"].items()):
            assert (folder / name).stat().st_size == file["bytes"]
    for path in folder.glob("*.npy"):
        np.load(path)
