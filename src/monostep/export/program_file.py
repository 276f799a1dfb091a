"""torch.export: the graph with its weights, for programs that have torch but not monostep."""

import warnings
from pathlib import Path

import torch
from torch.export import ExportedProgram

from monostep.export.description import KEY, Description, Images, Maps, Run

DESCRIPTION = f"{KEY}.json"  # the name of the description in the archive's extra files


def write(program: ExportedProgram, path: Path, description: Description) -> None:
    """Write the program; `torch.export.load` reads it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns about itself
        torch.export.save(program, path, extra_files={DESCRIPTION: description.json})


def reader(path: Path) -> Run:
    """The written file, on the CPU."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.export.load(path).module()

    def run(images: Images) -> tuple[Maps, ...]:
        with torch.no_grad():
            said = module(torch.from_numpy(images))
        several = said if isinstance(said, tuple) else (said,)
        return tuple(maps.numpy() for maps in several)

    return run
