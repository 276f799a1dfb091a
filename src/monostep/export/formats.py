"""The formats of exported files, by the ending of the file's name."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from torch.export import ExportedProgram

from monostep.errors import MissingExtraError, SettingError
from monostep.export import onnx_file, openvino_file, program_file
from monostep.export.description import Description, Run

_EXTRA = "pip install 'monostep[export]'"
_ONNX = {package: _EXTRA for package in ("onnx", "onnxscript", "onnxruntime")}


@dataclass(frozen=True, kw_only=True)
class Format:
    """How a file is written, and read again by the runtime it is for."""

    write: Callable[[ExportedProgram, Path, Description], None]
    reader: Callable[[Path], Run]
    packages: dict[str, str]  # that both need, and how each is installed


FORMATS = {
    ".onnx": Format(write=onnx_file.write, reader=onnx_file.reader, packages=_ONNX),
    ".pt2": Format(write=program_file.write, reader=program_file.reader, packages={}),
    ".xml": Format(
        write=openvino_file.write,
        reader=openvino_file.reader,
        packages={**_ONNX, "openvino": "pip install openvino"},
    ),
}


def by_ending(path: Path) -> Format:
    """The format of a file name.

    Raises:
        SettingError: an ending that no format has.
        MissingExtraError: the format's packages are not installed.
    """
    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise SettingError(
            f"{path}: the ending {ending!r} is no format of exported models; use .onnx, .pt2 "
            "(torch.export) or .xml (OpenVINO)"
        )
    for package, cure in FORMATS[ending].packages.items():
        if find_spec(package) is None:
            raise MissingExtraError(f"{path}: {ending} needs the package {package}: {cure}")
    return FORMATS[ending]
