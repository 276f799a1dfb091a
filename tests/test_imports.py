"""What importing costs, in fresh processes."""

import subprocess
import sys

import pytest

import monostep


def _loaded(code: str, package: str) -> bool:
    check = f"{code}\nimport sys\nprint({package!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1] == "True"


HELP = """
from typer.testing import CliRunner
from monostep.cli import app
assert CliRunner().invoke(app, ["--help"]).exit_code == 0
"""


@pytest.mark.parametrize("code", ["import monostep", HELP], ids=["import", "help"])
def test_neither_import_nor_help_loads_torch(code):
    assert not _loaded(code, "torch")


@pytest.mark.parametrize("package", ["diffusers", "transformers", "scipy", "OpenEXR"])
def test_predicting_needs_no_heavy_package(package):
    code = """
import numpy, monostep
monostep.load("nano-depth")(numpy.zeros((8, 8, 3), dtype="uint8"))
"""
    assert not _loaded(code, package)


def test_the_public_names_are_these():
    assert monostep.__all__ == sorted(monostep.__all__)
    for name in monostep.__all__:
        assert getattr(monostep, name) is not None
    assert set(monostep.__all__) <= set(dir(monostep))
    with pytest.raises(AttributeError, match="no attribute 'depht'"):
        _ = monostep.depht
