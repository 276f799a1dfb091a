import json
import os
import signal

import pytest
import torch
from constant_task import ALONE, ConstantTask
from numbered import Numbered, learned
from torch import nn

from monostep.errors import InputError, SettingError, TrainingError
from monostep.recipes import recipe
from monostep.training import loop, preflight, validation
from monostep.training.overriding import override


@pytest.fixture(autouse=True)
def _data(monkeypatch):
    monkeypatch.setattr(validation.source, "validation", lambda _: [Numbered(2)])
    with learned(Numbered(64)):
        yield


def _config(*settings):
    small = ["steps=4", "phases=[[0,8,8,2]]", "validation_scenes=2", "validate_every=1"]
    small += ["precision=fp32", "device=cpu", "pictures=0", "log_every=1"]
    return override(recipe("nano-depth"), [*small, *settings])


def _run(task, folder, *settings, keep=lambda **_: None):
    return loop.run(task, _config(*settings), folder, keep, ALONE)


def _logged(folder, key):
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [line for line in lines if key in line]


def test_only_better_models_are_kept(tmp_path):
    kept = []
    progress = _run(
        ConstantTask([3.0, 2.0, 2.5, 1.0]),
        tmp_path,
        "result=best",
        keep=lambda *, step, scores: kept.append((step, scores["error"])),
    )
    assert kept == [(1, 3.0), (2, 2.0), (4, 1.0)]
    assert progress.best == 1.0


@pytest.mark.parametrize("settings", [("validate_every=1",), ("validate_every=3",), ("stop=4",)])
def test_the_last_weights_are_kept_if_asked_however_they_score(tmp_path, settings):
    kept = []
    steps = "steps=8" if "stop=4" in settings else "steps=4"
    _run(
        ConstantTask([1.0, 2.0, 2.5, 3.0]),
        tmp_path,
        "result=last",
        steps,
        *settings,
        keep=lambda *, step, scores: kept.append((step, scores["error"])),
    )
    assert kept[-1][0] == 4


def test_a_validation_that_is_not_finite_stops_the_run(tmp_path):
    with pytest.raises(TrainingError, match="validation error is nan"):
        _run(ConstantTask([float("nan")]), tmp_path)


def test_pictures_are_drawn_at_validations(tmp_path):
    _run(ConstantTask(), tmp_path, "pictures=2", "validate_every=2")
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == [
        "00000002.png",
        "00000004.png",
    ]


def test_a_first_loss_that_is_not_finite_stops_the_run_before_it_begins(tmp_path):
    task = ConstantTask(loss=float("nan"))
    with pytest.raises(TrainingError, match=r"loss of the first batch is nan: images n\d+, n\d+"):
        _run(task, tmp_path)
    assert task.trained.weight.item() == 0.25


def test_a_later_loss_that_is_not_finite_stops_the_run_and_names_the_images(tmp_path):
    with pytest.raises(TrainingError, match=r"step 2: loss nan.*Images: n\d+, n\d+\. Skipped.*: 1"):
        _run(ConstantTask(wrong="nan"), tmp_path)


def test_as_many_steps_as_allowed_are_skipped_and_counted(tmp_path):
    progress = _run(ConstantTask(wrong="nan"), tmp_path, "skips=1")
    assert (progress.step, progress.skipped) == (4, 1)
    (line,) = _logged(tmp_path, "skipped")
    assert (line["step"], line["skipped"], len(line["images"])) == (2, 1, 2)
    # the count belongs to the run, not to the process
    with pytest.raises(TrainingError, match="Skipped so far: 2, allowed: 1"):
        task = ConstantTask()
        task.trained.weight.register_hook(lambda gradient: gradient)
        task.loss = lambda batch: ConstantTask.loss(task, batch) * (torch.nan if batch.step else 1)
        _run(task, tmp_path, "skips=1", "steps=5")


def test_half_precision_begins_skips_and_goes_on(tmp_path):
    half = ("precision=fp16", "skips=1")
    whole = ConstantTask(wrong="nan")
    assert _run(whole, tmp_path / "whole", *half).skipped == 1
    parted = ConstantTask(wrong="nan")
    for stop in ("stop=3", "stop=none"):
        _run(parted, tmp_path / "parted", *half, stop)
    assert torch.equal(whole.trained.weight, parted.trained.weight)


def test_a_failed_look_leaves_no_run_behind(tmp_path):
    with pytest.raises(TrainingError, match="loss of the first batch"):
        _run(ConstantTask(loss=float("nan")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_data_that_cannot_be_read_ends_the_run_in_their_own_words(tmp_path):
    with (
        learned(Numbered(8, unreadable=5)),
        pytest.raises(InputError, match=r"^n5: cannot be read"),
    ):
        _run(ConstantTask(), tmp_path, "steps=9")


def test_a_frozen_network_and_a_disk_without_room_stop_it_before_the_first_step(
    tmp_path, monkeypatch
):
    frozen = ConstantTask()
    frozen.trained.requires_grad_(False)  # noqa: FBT003
    with pytest.raises(TrainingError, match="nothing learns"):
        _run(frozen, tmp_path)
    usage = preflight.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(TrainingError, match=r"0\.0 GB are free, the run needs .* make room"):
        _run(ConstantTask(), tmp_path)
    assert not (tmp_path / "states").exists()


def test_weights_are_not_shared_out_to_one_process(tmp_path):
    with pytest.raises(SettingError, match="start several with torchrun"):
        _run(ConstantTask(), tmp_path, "shard=true")


def test_accumulated_micro_batches_equal_one_large_batch(tmp_path):
    weights, logs = [], []
    for name, *settings in (("two", "accumulate=2", "phases=[[0,8,8,1]]"), ("one",)):
        task = ConstantTask()
        _run(task, tmp_path / name, *settings, "warmup=0", "validate_every=9", "flip=false")
        weights.append(task.trained.weight)
        logs.append(_logged(tmp_path / name, "loss"))
    torch.testing.assert_close(*weights)
    for one, other in zip(*logs, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-5)
        assert one["gradient_norm"] == pytest.approx(other["gradient_norm"], rel=1e-5)


def test_the_average_of_the_weights_is_what_is_measured_and_kept(tmp_path):
    task, seen = ConstantTask(), []
    _run(
        task,
        tmp_path,
        "average=0.5",
        "learning_rate=0.1",
        "warmup=0",
        "validate_every=4",
        keep=lambda **_: seen.append(task.trained.weight.item()),
    )
    assert 0.25 < seen[0] < task.trained.weight.item()


class Signalled(ConstantTask):
    """Is asked to leave during its second step."""

    def loss(self, batch):
        if batch.step == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().loss(batch)


def test_asked_to_leave_it_saves_the_step_and_goes_on_later_to_the_same_weight(tmp_path):
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        progress = _run(Signalled(), tmp_path / "parts")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (progress.step, heard) == (2, [signal.SIGTERM])
    parts, whole = ConstantTask(), ConstantTask()
    nn.init.zeros_(parts.trained.weight)  # the state has its own
    assert _run(parts, tmp_path / "parts").step == 4
    assert _run(whole, tmp_path / "whole").step == 4
    assert torch.equal(parts.trained.weight, whole.trained.weight)


def test_a_run_says_which_broken_state_it_passed_over(tmp_path, capsys):
    _run(ConstantTask(), tmp_path, "checkpoint_every=2")
    newest = tmp_path / "states" / "00000004.safetensors"
    newest.write_bytes(newest.read_bytes()[:-3])
    assert _run(ConstantTask(), tmp_path).step == 4
    assert "00000004.safetensors: broken, passed over" in capsys.readouterr().err
    steps = [line["step"] for line in _logged(tmp_path, "loss")]
    assert steps == [1, 2, 3, 4]
