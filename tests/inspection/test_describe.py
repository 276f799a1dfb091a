import drawn_scenes
import joint_models
import marigold_folders
import pytest

from monostep.checkpoints import opening
from monostep.errors import CheckpointError
from monostep.inspection import folding
from monostep.inspection.describe import describe


def _describe(tmp_path, kind, **asked):
    folder = marigold_folders.write(tmp_path / kind, kind, text_encoder=False)
    for weights in folder.rglob("*.safetensors"):
        weights.write_bytes(b"")  # nothing of this reads them
    checkpoint = opening.find(folder)
    return describe(checkpoint, **asked)


def test_the_family_decides_the_spacing_not_the_file(tmp_path):
    description = _describe(tmp_path, "marigold-depth-v1-0", steps=1)
    assert description.facts["spacing_in_scheduler_file"] == "none (leading to diffusers)"
    assert description.settings["spacing"] == "trailing"
    (step,) = description.steps
    assert step.timestep == 999
    assert (step.told, step.given) == pytest.approx((0.99767, 1.0), abs=1e-5)
    assert description.cautions == ()


def test_the_flaw_is_seen_in_the_table_and_said(tmp_path):
    description = _describe(tmp_path, "marigold-depth-v1-0", steps=1, spacing="leading")
    (step,) = description.steps
    assert step.timestep == 1
    assert (step.told, step.given) == pytest.approx((0.0413, 1.0), abs=1e-4)
    (line,) = description.cautions
    assert "use spacing trailing" in line


def test_zero_terminal_signal_is_told_exactly(tmp_path):
    description = _describe(tmp_path, "marigold-depth-v1-1")
    assert description.facts["signal_at_the_last_timestep"] == 0
    assert [row.timestep for row in description.steps] == [999, 749, 499, 249]
    for row in description.steps:
        assert row.told == pytest.approx(row.given, abs=1e-6)


def test_a_consistency_model_has_its_own_way(tmp_path):
    description = _describe(tmp_path, "marigold-lcm", steps=4)
    assert [row.timestep for row in description.steps] == [999, 759, 499, 259]
    assert description.cautions == ()


def test_a_missing_file_is_named(tmp_path):
    folder = marigold_folders.write(tmp_path / "d", "marigold-depth-v1-1", text_encoder=False)
    checkpoint = opening.find(folder)
    (folder / "scheduler" / "scheduler_config.json").unlink()
    with pytest.raises(CheckpointError, match=r"scheduler_config\.json"):
        describe(checkpoint)


@pytest.mark.parametrize("words", [False, True])
def test_a_joint_model_says_what_it_is_told_and_what_it_sees(tmp_path, words):
    folder = joint_models.geometry_folder(tmp_path / "joint", words=words)
    model = joint_models.model(words=words)
    for weights in folder.rglob("diffusion_pytorch_model.safetensors"):
        weights.write_bytes(b"")
    description = describe(opening.find(folder, attention="separate"), domain="object")
    facts = description.facts
    said = (facts["task"], facts["domain"], facts["attention"])
    assert said == ("geometry", "indoor", "separate")
    assert description.settings["domain"] == "object"
    assert facts["class_embedding"].startswith("4 numbers" if words else "10 numbers")
    assert facts["parameters"] == sum(weight.numel() for weight in model.parameters())
    assert facts["weights"].endswith(" GB in float32")
    looks = "28x28 pixels, patches of 7, 2 layers of 32; one token of 16"
    assert facts["image_encoder"] == (None if words else looks)


@pytest.mark.slow
def test_a_folded_joint_file_says_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(folding, "render", drawn_scenes.render)
    folder, file = joint_models.geometry_folder(tmp_path / "joint"), tmp_path / "j.safetensors"
    folding.fold(opening.find(folder), file, asked={})
    unfolded, folded = (describe(opening.find(source)).facts for source in (folder, file))
    for name in ("task", "domain", "attention", "class_embedding", "image_encoder", "quantity"):
        assert folded[name] == unfolded[name]
    assert folded["weights"] == f"{file.stat().st_size / 1e9:.2f} GB in the file"


def test_a_folded_file_says_what_is_in_its_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(folding, "render", drawn_scenes.render)
    folder = marigold_folders.write(tmp_path / "m", "marigold-depth-v1-1")
    file = tmp_path / "m.safetensors"
    folding.fold(opening.find(folder), file, asked={"steps": 1, "noise": "zeros"})
    description = describe(opening.find(file))
    assert description.facts["folded_for"] == "timesteps 999 from zeros, ending previous"
    assert description.facts["unet"].startswith("4 channels in")
    assert [row.timestep for row in description.steps] == [999]
