"""Runs of joint networks: all that holds for other runs holds for them."""

import dataclasses
import json

import joint_models
import paired_joint
import pytest
import torch
from safetensors.torch import load_file
from two_processes import together, train_job

from monostep.checkpoints import folder
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.errors import SettingError
from monostep.recipes import recipe
from monostep.training.overriding import override
from monostep.training.start import train

SMALL = (
    *("data=procedural", "steps=4", "phases=[[0,8,8,2]]", "validation_scenes=2", "scenes=8"),
    *("accumulate=1", "recompute=none", "learning_rate=1e-3"),
)
OFTEN = ("pictures=1", "log_every=1", "warmup=1", "precision=fp32", "device=cpu")
E2E = ("class_rate=10", "average=0.5", "noise=gaussian")
UNET = "model/unet/diffusion_pytorch_model.safetensors"
EYES = "model/image_encoder/model.safetensors"


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    path = tmp_path_factory.mktemp("start") / "joint"
    card = dataclasses.replace(joint_models.CARD, resolution=8)
    folder.save(paired_joint.model(), card, path)
    return path


def _config(start, *settings, name="finetune-geometry"):
    return override(recipe(name), [*SMALL, *OFTEN, f"start={start}", *settings])


def _state(run):
    return load_file(max((run / "states").iterdir()))


def _same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


KINDS = {
    "end to end": ("finetune-geometry", (*E2E, "train_image_encoder=true", "validate_every=2")),
    "diffusion": ("geowizard", ("weights=[]", "workers=0", "validation_steps=2")),
}


@pytest.mark.parametrize("kind", ["end to end", pytest.param("diffusion", marks=pytest.mark.slow)])
def test_a_stopped_run_resumes_to_the_same_bits(tmp_path, start, kind):
    name, settings = KINDS[kind]
    config = _config(start, *settings, name=name)
    assert train(config, tmp_path / "whole").step == 4
    assert train(override(config, ["stop=2"]), tmp_path / "parts").step == 2
    assert train(config, tmp_path / "parts", resume=True).step == 4
    assert _same(_state(tmp_path / "whole"), _state(tmp_path / "parts"))
    for part in (UNET, EYES):
        whole, parts = (load_file(tmp_path / run / part) for run in ("whole", "parts"))
        assert _same(whole, parts)
    began = folder.load(start)[0].state_dict()
    model, card = folder.load(tmp_path / "whole" / "model", verify=True)
    assert isinstance(model, JointDiffusion)
    moved = {name for name, t in model.state_dict().items() if not torch.equal(t, began[name])}
    learned = ("unet.", "image_encoder.") if kind == "end to end" else ("unet.",)
    assert not {name for name in moved if not name.startswith(learned)}
    assert card.task == "geometry"
    assert (card.frame, card.domain, card.attention) == ("opencv", "indoor", "joint")
    assert card.family == ("end-to-end" if kind == "end to end" else "diffusion")
    told = card.scores["validation"]
    assert set(told) == {"geometry_error", "abs_rel", "mean_angle_deg", "step"}
    lines = [json.loads(line) for line in (tmp_path / "whole/log.jsonl").read_text().splitlines()]
    measured = [line for line in lines if "validation" in line]
    assert {"abs_rel", "mean_angle_deg"} <= measured[-1].keys()


@pytest.mark.parametrize(
    "setting",
    [
        "rank=2",
        *(
            pytest.param(setting, marks=pytest.mark.slow)
            for setting in (
                "frozen_precision=bf16",  # test_fitting.py and test_keeping.py have both halves
                "recompute=all",
                "latents=LATENTS",
                "precision=bf16",
                "train_decoder=true",
                "attention=separate",
                "noise=pyramid-geowizard",
                "optimiser=adam",
            )
        ),
    ],
)
def test_settings_of_all_runs_work(tmp_path, start, setting):
    setting = setting.replace("LATENTS", str(tmp_path / "latents"))
    config = _config(start, "steps=1", "warmup=0", setting)
    assert train(config, tmp_path / "run").step == 1
    kept, card = folder.load(tmp_path / "run" / "model", verify=True)
    began = folder.load(start)[0].state_dict()
    assert kept.state_dict().keys() == began.keys()
    eyes = [name for name in began if name.startswith("image_encoder.")]
    assert all(torch.equal(kept.state_dict()[name], began[name]) for name in eyes)
    assert card.attention == ("separate" if setting == "attention=separate" else "joint")


@pytest.mark.slow
def test_blocks_computed_twice_learn_the_same(tmp_path, start):
    for name, value in (("once", "none"), ("twice", "all")):
        train(_config(start, "steps=2", "warmup=0", f"recompute={value}"), tmp_path / name)
    once, twice = (_state(tmp_path / name) for name in ("once", "twice"))
    assert all(torch.allclose(once[key], twice[key], rtol=1e-5, atol=1e-7) for key in once)


def test_a_moving_average_needs_no_class_of_its_own(tmp_path, start):
    train(_config(start, *E2E, "steps=2", "warmup=0", "stop=1"), tmp_path / "run")
    state = _state(tmp_path / "run")
    assert "average/class_embedding.linear_1.weight" in state
    assert "weight/class_embedding.linear_1.weight" in state


@pytest.mark.slow
def test_one_batch_can_be_learned_by_heart(tmp_path, start):
    settings = ("steps=1", "warmup=0", "overfit=60", "learning_rate=1e-2", "class_rate=10")
    all_of_it = ("train_decoder=true", "train_image_encoder=true", "depth_unit=image")
    assert train(_config(start, *settings, *all_of_it), tmp_path / "run").step == 1


def test_shared_out_weights_need_several_processes(tmp_path, start):
    with pytest.raises(SettingError, match="on one process"):
        train(_config(start, "shard=true"), tmp_path / "run")


@pytest.mark.slow
def test_two_processes_learn_what_one_does(tmp_path, start):
    settings = [*SMALL, *OFTEN, f"start={start}", *E2E, "train_image_encoder=true", "steps=2"]
    settings += ["accumulate=2", "warmup=0", "pictures=0"]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    train(override(recipe("finetune-geometry"), settings), tmp_path / "one")
    torch.set_num_threads(before)
    jobs = [
        train_job("finetune-geometry", [*settings, f"shard={shard}"], tmp_path / shard)
        for shard in ("false", "true")
    ]
    assert together(tmp_path / "work", *jobs) == [(2, 2), (2, 2)]
    for part in (UNET, EYES):
        one, copied, shared = (load_file(tmp_path / k / part) for k in ("one", "false", "true"))
        assert _same(one, copied)
        assert all(torch.allclose(one[k], shared[k], rtol=1e-4, atol=1e-6) for k in one)
