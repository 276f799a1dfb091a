"""What a study is, written into its folder when it begins: budget, recipes, scenes and margins.

Results of other recipes or scenes would be taken for its own, so a folder goes on only as it began.
"""

import dataclasses
import hashlib
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import monostep
from monostep.checkpoints import embedded
from monostep.checkpoints.folder import read_card
from monostep.errors import SettingError
from monostep.files.atomic import read_json, write_json
from monostep.recipes import recipe
from monostep.reproduction import margins, study
from monostep.reproduction.budget import Budget
from monostep.reproduction.margins import MARGINS
from monostep.reproduction.study import Run

FILE = "study.json"


def begin(folder: Path, budget: Budget) -> None:
    """Write down what begins here, or make sure that it is what began.

    Raises:
        SettingError: the folder holds another study.
    """
    if check(folder, budget):
        return
    when = datetime.now(UTC).isoformat(timespec="seconds")
    kept = {"margins": limits(), "margins_of": origin(), "began": when}
    write_json(folder / FILE, {**_identity(budget), **kept})


def check(folder: Path, budget: Budget) -> bool:
    """Whether this study has begun here; SettingError if another one has."""
    found = begun(folder)
    if found is None:
        return False
    if found["budget"] != budget.name:
        raise SettingError(
            f"{folder} holds a study of budget {found['budget']}, this is {budget.name}; "
            "choose another folder with -o"
        )
    for what, now in _identity(budget).items():
        if found.get(what) != now:
            raise SettingError(
                f"{folder} holds a study that began with other {what}; choose another folder with "
                "-o, or the version of monostep that it began with"
            )
    return True


def begun(folder: Path) -> dict[str, Any] | None:
    """What was written down; None where nothing began."""
    path = folder / FILE
    return read_json(path) if path.is_file() else None


def limits() -> dict[str, Any]:
    """The margins as plain values."""
    return {name: dataclasses.asdict(margin) for name, margin in MARGINS.items()}


def origin() -> str:
    """The commit that last changed the margins, or the version of the package without one."""
    file = Path(margins.__file__)
    command = ["git", "log", "-1", "--format=%h of %cs", "--", file.name]
    if shutil.which("git"):
        found = subprocess.run(command, cwd=file.parent, capture_output=True, text=True)
        if found.returncode == 0 and found.stdout.strip():
            return f"commit {found.stdout.strip()}"
    return f"monostep {monostep.__version__}"


def _asked(run: Run, budget: Budget) -> list[str]:
    """How the run's model is trained; or which it is, where it is there already."""
    if run.embedded:
        return [run.embedded, str(read_card(embedded.ROOT / run.embedded).tensor_hash)]
    return run.arguments(Path("OUT"), budget)


def _identity(budget: Budget) -> dict[str, Any]:
    """What is trained, as a hash of all recipes and settings, or the model; what is measured on."""
    runs = study.runs(budget)
    used = {run.recipe: recipe(run.recipe).as_dict() for run in runs}
    asked = {run.name: _asked(run, budget) for run in runs}
    digest = hashlib.sha256(json.dumps([used, asked], sort_keys=True).encode()).hexdigest()
    scenes = {name: getattr(budget, name) for name in ("images", "height", "width")}
    return {"study": "miniature", "budget": budget.name, "recipes": digest, "scenes": scenes}
