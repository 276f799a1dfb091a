import json
import sys

import jaxtyping
import micro_models
import numpy as np
import pytest
import torch

from monostep import cli, load
from monostep.export import formats


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return micro_models.write(tmp_path_factory.mktemp("m") / "model", "depth")


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["monostep", "export", *map(str, arguments)])
        monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def untyped():
    """Shapes unchecked: comparing sizes that are symbols would make numbers of them."""
    jaxtyping.config.update("jaxtyping_disable", True)  # noqa: FBT003
    yield
    jaxtyping.config.update("jaxtyping_disable", False)  # noqa: FBT003


@pytest.mark.slow
@pytest.mark.usefixtures("untyped")
def test_it_writes_proves_and_prints_a_row_for_each_picture(run, folder, tmp_path):
    path = tmp_path / "model.pt2"
    code, out, err = run(folder, "-o", path, "--resolution", "16")
    assert code == 0
    heading, *rows, last = out.splitlines()
    assert heading.split() == ["size", "map", "difference", "spread"]
    assert len(rows) == 3
    assert all(float(row.split()[2]) < 1e-4 < float(row.split()[3]) for row in rows)
    assert last.startswith(f"written: {path} (")
    assert "tracing" in err
    extra = {"monostep.json": ""}
    program = torch.export.load(path, extra_files=extra)
    assert json.loads(extra["monostep.json"])["output"]["provenance"]["resolution"] == 16
    image = np.random.default_rng(0).integers(0, 256, (30, 44, 3), dtype=np.uint8)
    with torch.no_grad():
        values = program.module()(torch.from_numpy(image[None]))[0].numpy()
    said = load(folder, device="cpu", dtype="fp32")(image, resolution=16).values
    assert abs(values - said).max() < 2e-5


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "-o FILE is missing"),
        (["-o", "a.engine"], 2, "no format of exported models"),
        (["-o", "a.pt2", "--steps", "3"], 2, "takes 1 step from zeros"),
        (["-o", "a.pt2", "--noise", "gaussian"], 2, "takes 1 step from zeros"),
        (["-o", "a.pt2", "--resolution", "-1"], 2, "resolution -1"),
    ],
)
def test_a_mistake_is_a_line_and_a_code(
    run, folder, tmp_path, monkeypatch, arguments, code, message
):
    monkeypatch.chdir(tmp_path)
    ended, out, err = run(folder, *arguments)
    assert (ended, out) == (code, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named_before_the_model_is_looked_for(run, monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda _: None)
    code, _, err = run("no-such-model", "-o", "a.onnx")
    assert code == 1
    assert "pip install 'monostep[export]'" in err
