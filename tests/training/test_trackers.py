import sys
from types import SimpleNamespace

import numpy as np
import pytest

from monostep.errors import MissingExtraError
from monostep.files.preview import write_png8
from monostep.recipes import recipe
from monostep.training import trackers
from monostep.training.overriding import override


def _config(*names):
    listed = ",".join(f'"{name}"' for name in names)
    return override(recipe("nano-depth"), [f"trackers=[{listed}]"])


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    write_png8(path, np.full((4, 6, 3), 7, np.uint8))
    return path


def test_none_are_asked_for_by_default(tmp_path):
    assert trackers.start(recipe("nano-depth"), tmp_path, step=0) == []


def test_tensorboard_gets_scalars_and_pictures(tmp_path, picture):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (tracker,) = trackers.start(_config("tensorboard"), tmp_path, step=0)
    tracker.record(3, {"loss": 0.25})
    tracker.picture(3, picture)
    tracker.close()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [(3, 0.25)]
    assert [e.step for e in events.Images("validation")] == [3]


def test_wandb_gets_numbers_and_the_run_keeps_its_identity(tmp_path, picture, monkeypatch):
    heard = []
    run = SimpleNamespace(
        log=lambda numbers, step: heard.append((step, numbers)), finish=lambda: heard.append("end")
    )
    module = SimpleNamespace(
        init=lambda **asked: heard.append(asked["id"]) or run, Image=lambda path: f"image {path}"
    )
    monkeypatch.setitem(sys.modules, "wandb", module)
    identity = trackers.start(_config("wandb"), tmp_path / "my-run", step=0) and heard.pop()
    (tracker,) = trackers.start(_config("wandb"), tmp_path / "my-run", step=0)
    tracker.record(2, {"loss": 1.0})
    tracker.picture(2, picture)
    tracker.close()
    assert len(identity) == 16
    assert heard == [identity, (2, {"loss": 1.0}), (2, {"validation": f"image {picture}"}), "end"]


@pytest.mark.parametrize(
    ("name", "module"), [("wandb", "wandb"), ("tensorboard", "torch.utils.tensorboard.writer")]
)
def test_a_package_that_is_not_there_is_named(tmp_path, monkeypatch, name, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=f"trackers={name} needs {name}: pip install"):
        trackers.start(_config(name), tmp_path, step=0)
