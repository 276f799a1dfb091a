from pathlib import Path

import pytest

from monostep.errors import MissingExtraError, SettingError
from monostep.export import formats


@pytest.mark.parametrize("name", ["a.onnx", "b/a.ONNX", "a.pt2", "a.xml"])
def test_the_ending_says_the_format(name, monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda _: object())
    assert formats.by_ending(Path(name)) is formats.FORMATS[Path(name).suffix.lower()]


@pytest.mark.parametrize("name", ["a", "a.engine", "a.onnx.gz"])
def test_another_ending_is_refused(name):
    with pytest.raises(SettingError, match=r"use .onnx, .pt2"):
        formats.by_ending(Path(name))


@pytest.mark.parametrize(
    ("name", "package", "cure"),
    [
        ("a.onnx", "onnxscript", "pip install 'monostep[export]'"),
        ("a.xml", "openvino", "pip install openvino"),
    ],
)
def test_a_missing_package_is_named_with_its_cure(name, package, cure, monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda each: None if each == package else object())
    with pytest.raises(MissingExtraError) as caught:
        formats.by_ending(Path(name))
    assert f"needs the package {package}: {cure}" in str(caught.value)


def test_torchs_own_format_needs_nothing_more(monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda _: None)
    assert formats.by_ending(Path("a.pt2")).packages == {}
