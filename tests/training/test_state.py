import errno
import resource
import signal
from contextlib import contextmanager

import pytest
import torch
from constant_task import ALONE
from torch import nn

from monostep.errors import OutputError, TrainingError
from monostep.training import state
from monostep.training.learning import Learning
from monostep.training.state import Progress, restore, save


def _learning(width=2):
    torch.manual_seed(0)
    module = nn.Linear(3, width)
    optimiser = torch.optim.AdamW(module.parameters(), lr=0.1)
    return Learning(trained=module, optimiser=optimiser, others={})


def _step(learning):
    learning.optimiser.zero_grad()
    learning.trained(torch.ones(1, 3)).sum().backward()
    learning.optimiser.step()


def _run(tmp_path, *steps, keep=9, width=2):
    """A run that saved after these steps."""
    learning = _learning(width)
    for number in range(1, max(steps) + 1):
        _step(learning)
        if number in steps:
            save(tmp_path, learning, Progress(step=number, best=0.5), ALONE, keep=keep)
    return learning


def _files(run):
    return sorted(path.name for path in (run / "states").iterdir())


def _restored(run, learning=None):
    progress, passed_over = restore(run, learning or _learning(), ALONE)
    return None if progress is None else progress.step, passed_over


@contextmanager
def _full_disk(size):
    """Inside, no file can grow beyond `size`: the system refuses, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    heard = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, heard)


def test_a_restored_state_continues_bit_for_bit(tmp_path):
    ours, theirs = _run(tmp_path, 1), _learning()
    about = Progress(step=2, best=0.5, skipped=3, scaler={"scale": 1024.0})
    save(tmp_path, ours, about, ALONE, keep=2)
    assert restore(tmp_path, theirs, ALONE) == (about, [])
    _step(ours)
    _step(theirs)
    for name, tensor in ours.tensors().items():
        assert torch.equal(tensor, theirs.tensors()[name])


def test_a_run_that_saved_nothing_has_nothing_to_restore(tmp_path):
    assert _restored(tmp_path) == (None, [])
    assert not state.exists(tmp_path)


def test_the_newest_states_stay(tmp_path):
    _run(tmp_path, 1, 2, 3, 12, keep=2)
    assert _files(tmp_path) == ["00000003.safetensors", "00000012.safetensors"]
    assert _restored(tmp_path) == (12, [])


@pytest.mark.parametrize("broken", [b"", b"\x00" * 4000, b"garbage, not tensors", None])
def test_a_broken_newest_state_is_passed_over_and_named(tmp_path, broken):
    _run(tmp_path, 1, 2)
    newest = tmp_path / "states" / "00000002.safetensors"
    newest.write_bytes(newest.read_bytes()[:-8] if broken is None else broken)
    step, lines = _restored(tmp_path)
    assert step == 1
    assert len(lines) == 1
    assert lines[0].startswith(f"{newest}: broken, passed over (")
    assert "\n" not in lines[0]


def test_a_state_without_progress_is_broken(tmp_path):
    _run(tmp_path, 1, 2)
    state.save_file({"weight/weight": torch.ones(2, 3)}, tmp_path / "states/00000002.safetensors")
    assert _restored(tmp_path)[0] == 1


def test_states_that_are_all_broken_are_no_new_beginning(tmp_path):
    _run(tmp_path, 1, 2)
    for path in (tmp_path / "states").iterdir():
        path.write_bytes(b"garbage")
    with pytest.raises(TrainingError, match=r"no training state can be read.*00000002.*00000001"):
        _restored(tmp_path)


def test_broken_later_states_do_not_push_out_whole_ones(tmp_path):
    _run(tmp_path, 1, 2, 8, 9)
    for name in ("00000008", "00000009"):
        (tmp_path / "states" / f"{name}.safetensors").write_bytes(b"garbage")
    learning = _learning()
    assert _restored(tmp_path, learning)[0] == 2
    save(tmp_path, learning, Progress(step=3, best=None), ALONE, keep=2)
    assert {"00000002.safetensors", "00000003.safetensors"} <= set(_files(tmp_path))
    assert _restored(tmp_path)[0] == 3


@pytest.mark.parametrize("size", [0, 100, 1000])
def test_a_full_disk_is_one_clear_line_and_earlier_states_stay_whole(tmp_path, size):
    learning = _run(tmp_path, 1, 2, width=200)
    before = {path: path.read_bytes() for path in (tmp_path / "states").iterdir()}
    with _full_disk(size), pytest.raises(OutputError, match=r"00000003.*cannot be written") as told:
        save(tmp_path, learning, Progress(step=3, best=None), ALONE, keep=1)
    assert "\n" not in str(told.value)
    assert {path: path.read_bytes() for path in (tmp_path / "states").iterdir()} == before
    assert _restored(tmp_path, _learning(200))[0] == 2


def test_no_space_left_is_said_as_such(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    learning = _run(tmp_path, 1)
    monkeypatch.setattr(state, "save_file", full)
    with pytest.raises(OutputError, match="No space left on device"):
        save(tmp_path, learning, Progress(step=2, best=None), ALONE, keep=1)
    assert _files(tmp_path) == ["00000001.safetensors"]


def test_a_crash_while_saving_leaves_the_old_states_and_its_rest_is_removed(tmp_path, monkeypatch):
    learning = _run(tmp_path, 1)
    write = state.save_file

    def dies(tensors, path, metadata):
        write(tensors, path, metadata)
        raise KeyboardInterrupt

    monkeypatch.setattr(state, "save_file", dies)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path, learning, Progress(step=2, best=None), ALONE, keep=1)
    assert _files(tmp_path) == ["00000001.safetensors"]
    monkeypatch.undo()
    for name in (".monostep-0123.tmp", ".tmpBxyI4E"):
        (tmp_path / "states" / name).write_bytes(b"of a process that was killed")
    save(tmp_path, learning, Progress(step=2, best=None), ALONE, keep=1)
    assert _files(tmp_path) == ["00000002.safetensors"]


def test_a_state_of_another_network_is_refused(tmp_path):
    _run(tmp_path, 1)
    module = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    optimiser = torch.optim.AdamW(module.parameters())
    with pytest.raises(TrainingError, match="other weights"):
        _restored(tmp_path, Learning(trained=module, optimiser=optimiser, others={}))


def test_another_run_can_begin_from_the_last_whole_weights(tmp_path):
    ours = _run(tmp_path, 1)
    (tmp_path / "states" / "00000002.safetensors").write_bytes(b"garbage")
    module = nn.Linear(3, 2)
    state.load_weights(tmp_path, module)
    assert torch.equal(module.weight, ours.trained.weight)
    with pytest.raises(TrainingError, match="no readable training state"):
        state.load_weights(tmp_path / "nowhere", module)
