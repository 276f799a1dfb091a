"""monostep doctor: what to look at, and to send along, when something does not work."""

import json
import re
from collections import defaultdict
from importlib import metadata
from typing import Annotated, Any

import typer

from monostep._version import __version__
from monostep.cli import source
from monostep.cli.exit_codes import FAILED

_NEEDS = re.compile(r"([\w.-]+).*extra == ['\"]([\w-]+)['\"]")
_INTERNAL = {"dev"}


def doctor(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="Models to verify: folded files, folders, or what was downloaded.",
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every downloaded model whole, too.")
    ] = False,
    device: source.Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show versions, device, extras and models; exit 1 if any weights are broken or not found.

    Makes no request and changes nothing. The models inside the package and every SOURCE are always
    verified against the hash they came with.
    """
    from monostep.checkpoints import health

    found = {"embedded": list(health.of_embedded())}
    found["downloaded"] = list(health.of_downloaded(verify=verify))
    found["given"] = [health.of_source(each) for each in models or []]
    machine, extras = _machine(device), _extras()
    if as_json:
        told = {where: [vars(each) for each in some] for where, some in found.items()}
        typer.echo(json.dumps({**machine, "extras": extras, "models": told}, sort_keys=True))
    else:
        _show(machine, extras, found)
    if not all(each.well for some in found.values() for each in some):
        raise typer.Exit(FAILED)


def _machine(device: str) -> dict[str, Any]:
    from monostep.benchmark import machine
    from monostep.device import choose_device, choose_dtype, cores

    chosen = choose_device(device)
    return {
        "monostep": __version__,
        **machine.describe(chosen, threads=None),
        "usable_cores": cores(),
        "available_bytes": machine.available_bytes(chosen),
        "device": str(chosen),
        "dtype": str(choose_dtype("auto", chosen)).removeprefix("torch."),
    }


def _extras() -> dict[str, dict[str, str | None]]:
    """The version of every package of every extra; None where it is missing."""
    from monostep.benchmark import machine

    found: defaultdict[str, dict[str, str | None]] = defaultdict(dict)
    try:
        lines = metadata.requires("monostep") or []
    except metadata.PackageNotFoundError:  # run from its sources
        lines = []
    for line in lines:
        needs = _NEEDS.fullmatch(line)
        if needs and needs[2] not in _INTERNAL and needs[1] != "monostep":
            found[needs[2]][needs[1]] = machine.version(needs[1])
    return dict(found)


def _show(machine: dict[str, Any], extras: dict[str, Any], found: dict[str, Any]) -> None:
    for name, value in machine.items():
        typer.echo(f"{name.removesuffix('_bytes'):18}  {_words(name, value)}")
    for extra, packages in extras.items():
        said = [f"{name} {version or 'missing'}" for name, version in packages.items()]
        lacks = None in packages.values()
        how = f"; pip install 'monostep[{extra}]'" if lacks else ""
        typer.echo(f"{extra:18}  {', '.join(said)}{how}")
    for some in found.values():
        for each in some:
            state = "" if each.well else "BROKEN: " if each.here else "NOT FOUND: "
            typer.echo(f"{each.name:18}  {state}{each.said}")


def _words(name: str, value: Any) -> str:
    if value is None:
        return "none" if name == "gpu" else "unknown"
    if name.endswith("_bytes"):
        return f"{value / 2**30:.1f} GiB"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(key, each)}" for key, each in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)
