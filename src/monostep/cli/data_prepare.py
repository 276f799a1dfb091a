"""monostep data prepare DATASET ROOT -o FOLDER."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monostep.cli.exit_codes import SOME_FAILED
from monostep.errors import SettingError

if TYPE_CHECKING:
    from monostep.data.prepare.job import Plan
    from monostep.data.prepare.run import Report

_OF_HYPERSIM = "Hypersim"
_OF_VKITTI = "Virtual KITTI 2"


def prepare(
    dataset: Annotated[str, typer.Argument(help="hypersim or vkitti.")],
    root: Annotated[Path, typer.Argument(help="Folder of the official files.")],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="Folder of manifest.jsonl and the files made."),
    ],
    file_list: Annotated[
        Path | None,
        typer.Option("--list", help="Only the images that this file names, one a line."),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Only train, val or test; default: all.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Only the first images.")
    ] = None,
    scenes: Annotated[
        list[str] | None,
        typer.Option("--scene", help="Only this scene. May be repeated."),
    ] = None,
    normals: Annotated[
        str | None,
        typer.Option(
            help="hypersim: hdf5, preview (8-bit pictures) or none; vkitti: d2nt or none. "
            "Default: the first."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say only what failed.")] = False,
    camera: Annotated[
        str | None,
        typer.Option(
            help="official: each scene's own; constant: 886.81 px for all, as Marigold has it. "
            "Default: official.",
            rich_help_panel=_OF_HYPERSIM,
        ),
    ] = None,
    camera_csv: Annotated[
        Path | None,
        typer.Option(
            help="metadata_camera_parameters.csv; default: in ROOT.", rich_help_panel=_OF_HYPERSIM
        ),
    ] = None,
    split_csv: Annotated[
        Path | None,
        typer.Option(
            help="metadata_images_split_scene_v1.csv; default: in ROOT.",
            rich_help_panel=_OF_HYPERSIM,
        ),
    ] = None,
    filtered: Annotated[
        bool,
        typer.Option(
            "--filter",
            help="Leave out images with less than 0.5 m of depth range, 10 of 255 of colour range, "
            "or more than 3 % of invalid pixels.",
            rich_help_panel=_OF_HYPERSIM,
        ),
    ] = False,
    selection: Annotated[
        str | None,
        typer.Option(
            help="Scenes and conditions: paper (E2E-FT: five scenes, none held out) or marigold "
            "(Scene01 is val); default: paper.",
            rich_help_panel=_OF_VKITTI,
        ),
    ] = None,
    conditions: Annotated[
        list[str] | None,
        typer.Option(
            "--condition",
            help="fog, clone, ... instead of the selection's. May be repeated.",
            rich_help_panel=_OF_VKITTI,
        ),
    ] = None,
) -> None:
    """Turn Hypersim or Virtual KITTI 2 into a manifest, and make the files that it lacks.

    What is there and whole is kept, so an interrupted run goes on where it stopped. A broken image
    is named and left out; the exit code is then 3.
    """
    shared = {
        "normals": normals,
        "split": split,
        "file_list": file_list,
        "scenes": tuple(scenes or ()),
        "limit": limit,
    }
    of_hypersim = {"camera": camera, "camera_csv": camera_csv, "split_csv": split_csv}
    of_vkitti = {"selection": selection, "conditions": conditions}
    if dataset == "hypersim":
        _refuse(of_vkitti, dataset)
        plan = _hypersim(root, output, shared, **of_hypersim)
    elif dataset == "vkitti":
        _refuse({**of_hypersim, "filter": filtered}, dataset)
        plan = _vkitti(root, output, shared, **of_vkitti)
    else:
        raise SettingError(f"data set {dataset!r}: choose hypersim or vkitti")
    _finish(_run(plan, output, filtered=filtered, workers=workers, quiet=quiet), quiet=quiet)


def _hypersim(
    root: Path,
    output: Path,
    shared: dict[str, Any],
    *,
    camera: str | None,
    camera_csv: Path | None,
    split_csv: Path | None,
) -> Plan:
    from monostep.data.prepare import hypersim

    official = _one_of("--camera", camera, ("official", "constant")) == "official"
    if camera_csv is not None and not official:
        raise SettingError("--camera-csv means nothing for the constant camera: leave it out")
    choice = hypersim.Choice(
        **{**shared, "normals": _one_of("--normals", shared["normals"], hypersim.NORMALS)},
        camera_csv=(camera_csv or root / "metadata_camera_parameters.csv") if official else None,
        split_csv=split_csv or root / "metadata_images_split_scene_v1.csv",
    )
    return hypersim.plan(root, output, choice)


def _vkitti(
    root: Path,
    output: Path,
    shared: dict[str, Any],
    *,
    selection: str | None,
    conditions: list[str] | None,
) -> Plan:
    from monostep.data.prepare import vkitti, vkitti_frames

    choice = vkitti.Choice(
        **{**shared, "normals": _one_of("--normals", shared["normals"], vkitti.NORMALS)},
        selection=_one_of("--selection", selection, tuple(vkitti_frames.SELECTIONS)),
        conditions=tuple(conditions or ()),
    )
    return vkitti.plan(root, output, choice)


def _run(plan: Plan, output: Path, *, filtered: bool, workers: int, quiet: bool) -> Report:
    """Prepare, with a bar on stderr if that is a terminal; broken images are named at once."""
    from rich.console import Console
    from rich.progress import Progress

    from monostep.data.prepare import run
    from monostep.data.prepare.thresholds import Thresholds

    for note in () if quiet else plan.notes:
        typer.echo(f"monostep: {note}", err=True)
    console = Console(stderr=True)
    hidden = quiet or not console.is_terminal
    with Progress(console=console, disable=hidden, transient=True) as progress:
        bar = progress.add_task("prepare", total=len(plan.jobs))

        def done(error: str | None) -> None:
            progress.advance(bar)
            if error is not None:
                progress.console.print(f"monostep: {error}", markup=False, soft_wrap=True)

        return run.run(
            plan,
            output,
            thresholds=Thresholds() if filtered else None,
            workers=workers,
            done=done,
        )


def _finish(report: Report, *, quiet: bool) -> None:
    said = [f"{report.rows} images", f"{report.written} prepared", f"{report.kept} there already"]
    said += [f"{report.left_out} left out by the filter"] if report.left_out else []
    said += [f"{len(report.broken)} broken"] if report.broken else []
    if not quiet:
        typer.echo(f"{report.manifest}: {', '.join(said)}")
    if report.broken:
        raise typer.Exit(SOME_FAILED)


def _refuse(options: Mapping[str, object], dataset: str) -> None:
    """Say that an option is another data set's, rather than ignore it."""
    for name, value in options.items():
        if value:
            option = f"--{name.replace('_', '-').removesuffix('s')}"
            raise SettingError(f"{option} means nothing for {dataset}: leave it out")


def _one_of(option: str, value: str | None, choices: tuple[str, ...]) -> Any:
    """The value, or the first choice; SettingError for one that is none of them."""
    if value is not None and value not in choices:
        raise SettingError(f"{option} {value!r}: choose {' or '.join(choices)}")
    return value or choices[0]
