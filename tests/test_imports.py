"""What importing costs, in fresh processes."""

import subprocess
import sys

import pytest

import monostep


def _loaded(code: str, *packages: str) -> str:
    """Those of the packages that a fresh process has loaded after this code, in words."""
    check = f"{code}\nimport sys\nprint(*({{*{packages!r}}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


HELP = """
from typer.testing import CliRunner
from monostep.cli import app
assert CliRunner().invoke(app, ["--help"]).exit_code == 0
"""


@pytest.mark.parametrize("code", ["import monostep", HELP], ids=["import", "help"])
def test_neither_import_nor_help_loads_torch(code):
    assert _loaded(code, "torch") == ""


def test_what_is_loaded_is_seen():
    assert _loaded("import json", "json", "torch") == "json"


def test_predicting_needs_no_heavy_package():
    code = """
import numpy, monostep
monostep.load("nano-depth")(numpy.zeros((8, 8, 3), dtype="uint8"))
"""
    heavy = ("diffusers", "transformers", "scipy", "OpenEXR", "huggingface_hub")
    assert _loaded(code, *heavy) == ""


def test_the_public_names_are_these():
    assert monostep.__all__ == sorted(monostep.__all__)
    for name in monostep.__all__:
        assert getattr(monostep, name) is not None
    assert set(monostep.__all__) <= set(dir(monostep))
    with pytest.raises(AttributeError, match="no attribute 'depht'"):
        _ = monostep.depht
