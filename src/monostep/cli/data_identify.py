"""monostep data identify-frame DIR: in which frame somebody's normals are."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monostep.errors import SettingError

if TYPE_CHECKING:
    from monostep.evaluation.benchmark import Benchmark
    from monostep.evaluation.frames.found import Found


def identify_frame(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the normals are.")],
    benchmark: Annotated[
        str | None,
        typer.Option(help="Whose images they are of, as `monostep evaluate` takes it."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the benchmark's data.")] = None,
    names: Annotated[Path | None, typer.Option("--list", help="Of the benchmark's images.")] = None,
    depth: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Depth maps of the same images.")
    ] = None,
    quantity: Annotated[
        str | None, typer.Option(help="Of the depth maps: depth, disparity, ...")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many files, evenly spread.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Tell opencv, opengl, directx and dsine apart, and the four ways without a name.

    By the true normals of a benchmark, else by depth maps, else by the normals alone.
    """
    from monostep.evaluation.frames import search as frame_search

    _check(benchmark, data, names, depth, quantity)
    if benchmark is not None:
        found = frame_search.by_truth(folder, _truth(benchmark, data, names), limit=limit)
    elif depth is not None:
        found = frame_search.by_depth(folder, depth, quantity=quantity, limit=limit)
    else:
        found = frame_search.by_camera(folder, limit=limit)
    if as_json:
        typer.echo(json.dumps(found.values(), sort_keys=True))
    else:
        _show(found)


def _check(
    benchmark: str | None,
    data: Path | None,
    names: Path | None,
    depth: Path | None,
    quantity: str | None,
) -> None:
    if benchmark is not None and depth is not None:
        raise SettingError("--benchmark and --depth: the truth says it all, leave --depth out")
    if benchmark is None and (data is not None or names is not None):
        raise SettingError("--data and --list belong to a --benchmark: name it")
    if depth is None and quantity is not None:
        raise SettingError("--quantity is that of the maps in --depth: name their folder")


def _truth(name: str, data: Path | None, names: Path | None) -> "Benchmark":
    """The benchmark; one without normals is refused before its data are looked for."""
    from monostep.evaluation import choose

    asked = choose.Asked(data=data, list=names)
    choose.check((name,), asked)
    if (
        choose.kind(name) != "depth set"
        and "normals" in (found := choose.choose(name, asked)).rules
    ):
        return found
    meant = f"{name}-normals"
    sets = (meant,) if meant in choose.NORMALS_SETS else choose.NORMALS_SETS
    raise SettingError(f"{name} has no true normals: name {', '.join(sets)}")


def _show(found: "Found") -> None:
    for path, problem in found.problems.items():
        typer.echo(problem if path in problem else f"{path}: {problem}", err=True)
    values = found.values()
    typer.echo(f"{'frame':9} {'x, y, z point':22} {values['measure']}")
    for way in values["ways"]:
        typer.echo(f"{way['frame'] or '-':9} {way['axes']:22} {way['value']:.3g}")
    for line in _conclusion(found):
        typer.echo(line)


def _conclusion(found: "Found") -> list[str]:
    seen = f"{found.images} file{'s' if found.images > 1 else ''}"
    lines = [f"{_verdict(found)} ({_GROUNDS[found.evidence]}; {seen})"]
    others = [said for said in found.said if said != found.frame]
    if others:
        lines.append(
            f"{'the files' if found.frame is None else 'but files'} say {', '.join(others)}"
        )
    if found.caveat is not None:
        lines.append(found.caveat)
    if found.coded:
        lines.append(f"{found.coded} of them store 0..1: declare --value-range 0..1 too")
    return lines


_GROUNDS = {
    "truth": "by the true normals",
    "depth": "by normals of the depth maps",
    "camera": "by the normals alone",
}

_MORE = {
    "truth": "try more images",
    "depth": "try --benchmark, or more images",
    "camera": "try --depth or --benchmark",
}


def _verdict(found: "Found") -> str:
    if found.doubt is not None:
        return f"cannot tell: {found.doubt}"
    if found.unknown:
        axes = " and ".join(found.unknown)
        return f"cannot tell: nothing decides {axes}; {_MORE[found.evidence]}"
    values = found.values()
    sure = "" if found.confidence == "clear" else "likely "
    if found.frame is None:
        return f"{sure}{values['axes']}: no named frame, flip axes first"
    return f"{sure}{found.frame}: --frame {found.frame}"
