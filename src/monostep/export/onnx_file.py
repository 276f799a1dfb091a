"""ONNX: one file, or for large models a second one beside it that holds the weights."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch.export import ExportedProgram

from monostep.export.description import INPUT, KEY, Description, Images, Maps, Run

OPSET = 18  # what torch translates to, without a conversion afterwards
LARGEST = (
    2**31 - 2**24
)  # bytes of weights in a file: protobuf ends at 2 GiB, and the graph is there


def write(program: ExportedProgram, path: Path, description: Description) -> None:
    """Write the graph; beyond `LARGEST` its weights go into `path` + ".data" beside it."""
    with _quietly():
        translated = torch.onnx.export(
            program,
            (),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=list(description.outputs),
            dynamic_shapes=({0: "batch", 1: "height", 2: "width"},),
        )
    assert translated is not None
    model, names = translated.model, " and ".join(description.outputs)
    model.metadata_props[KEY] = description.json
    model.doc_string = f"monostep {names}: uint8 RGB in, float32 out"
    large = sum(each.nbytes for each in program.state_dict.values()) > LARGEST
    translated.save(path, external_data=large)


def reader(path: Path) -> Run:
    """The written file in onnxruntime, on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(images: Images) -> tuple[Maps, ...]:
        return tuple(np.asarray(maps) for maps in session.run(None, {INPUT: images}))

    return run


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what the exporter tells its own developers."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
