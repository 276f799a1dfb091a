import json
import pickle
from pathlib import Path

import own_data
import pytest

from monostep.data import manifest
from monostep.data.manifest import Declaration
from monostep.errors import SettingError
from monostep.evaluation import choose as choosing
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.choose import Asked, First, check, choose, kind


@pytest.fixture
def frames(tmp_path):
    path = tmp_path / "frames.jsonl"
    rows = [own_data.row(tmp_path, name=name, split="test") for name in ("a", "b", "c")]
    manifest.write(path, Declaration(name="frames"), rows)
    return path


def test_names_of_both_tasks_are_told_apart():
    for name in ("nyuv2", "kitti", "eth3d", "scannet", "diode", "diode-indoor", "diode-outdoor"):
        assert kind(name) == "depth set"
    for name in ("nyuv2-normals", "scannet-normals", "ibims", "sintel", "vkitti", "oasis"):
        assert kind(name) == "normals set"
    assert len(set(choosing.NAMES)) == len(choosing.NAMES) == 15


def test_a_file_or_folder_is_a_manifest(tmp_path):
    assert kind("x/frames.jsonl") == kind("frames.CSV") == kind(str(tmp_path)) == "manifest"


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(SettingError, match=r"'nyu': choose procedural, .*oasis.*\.jsonl"):
        kind("nyu")


def test_procedural_scenes_are_as_many_and_as_large_as_asked():
    benchmark = choose("procedural", Asked(images=7, height=10))
    assert (len(benchmark.names), benchmark.height, benchmark.width) == (7, 10, 256)


def test_others_give_their_first_images(frames):
    whole = choose(str(frames), Asked(split="test"))
    part = choose(str(frames), Asked(images=2))
    assert isinstance(part, Benchmark)
    assert (len(whole.names), list(part.names)) == (3, ["a.png", "b.png"])
    assert part.about()["only_first"] == 2
    assert part.about() != whole.about()
    json.dumps(part.about(), allow_nan=False)
    assert part.load(1).name == "b.png"
    assert (part.name, part.rules) == (whole.name, whole.rules)
    # what else the whole knows of itself
    assert part.scale_is_known
    assert part.state() == whole.state()
    again = pickle.loads(pickle.dumps(part))
    assert again.load(0, image=False).image is None
    assert not hasattr(First(choose("motorcycle", Asked()), 1), "state")


@pytest.mark.parametrize("images", [3, 4])
def test_as_many_as_there_are_is_the_whole(frames, images):
    whole, found = (choose(str(frames), Asked(images=each)) for each in (None, images))
    assert found.about() == whole.about()
    assert "only_first" not in found.about()


@pytest.mark.parametrize("name", ["nyuv2", "nyuv2-normals", "diode-indoor", "oasis"])
def test_data_that_is_not_named_is_asked_for(name):
    with pytest.raises(SettingError, match=f"{name}: .*--data"):
        choose(name, Asked())


@pytest.mark.parametrize(
    ("names", "asked", "words"),
    [
        (["procedural"], {"split": "test"}, "--split is for a manifest, not for procedural"),
        (["nyuv2", "ibims"], {"height": 5}, "--height is for a procedural"),
        (
            ["motorcycle"],
            {"data": Path("x")},
            "--data is for a published benchmark of depth or a published",
        ),
        (["frames.jsonl"], {"protocol": "dsine-2024"}, "--protocol"),
        (["procedural"], {"list": Path("x")}, "--list"),
        (["eth3d"], {"baseline_scenes": 4}, "--baseline-scenes"),
    ],
)
def test_an_option_that_means_nothing_is_refused(names, asked, words):
    with pytest.raises(SettingError, match=words):
        check(names, Asked(**asked))


def test_an_option_may_mean_something_for_one_of_several(tmp_path):
    check(["procedural", "nyuv2"], Asked(data=tmp_path, height=10))
