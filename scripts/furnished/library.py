"""The models that rooms are furnished with, read once and kept as .npz files."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scripts.furnished import catalogue, obj, plain_models, roles, supports
from scripts.furnished.catalogue import Item
from scripts.furnished.mesh import Mesh, simplified, sized

MOST_FACES = 10_000
_SMALL_M = 0.45  # models up to this size are opaque even where they are of glass
_HUGE = 5_000_000  # bytes of an OBJ file beyond which a model is left out
_MESH = ("corners", "uv", "material", "colour", "gloss", "texture", "textures")


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model as the layout knows it; its triangles are read when a room needs them."""

    key: str
    name: str
    role: str
    category: str
    size: tuple[float, float, float]  # width, height, depth in metres
    elevation: float
    path: Path
    creator: str
    licence: str


class Library:
    """All models by role, and their files."""

    def __init__(self, models: list[Model]) -> None:
        self.models = {model.key: model for model in models}
        self.by_role: dict[str, list[Model]] = {}
        for model in models:
            self.by_role.setdefault(model.role, []).append(model)


def build(furniture: Path, cache: Path) -> Library:
    """The library of the archives in `furniture`; what `cache` lacks is made."""
    cache.mkdir(parents=True, exist_ok=True)
    index = cache / "index.json"
    if not index.is_file():
        kept = [_store(item, cache) for item in catalogue.items(furniture)]
        kept += [_store_plain(n, *made, cache) for n, made in enumerate(plain_models.make_all())]
        temporary = cache / "index.tmp"
        temporary.write_text(json.dumps([each for each in kept if each], indent=1))
        temporary.replace(index)
    stored = json.loads(index.read_text())
    return Library([_model(each, cache) for each in stored])


def _model(stored: dict, cache: Path) -> Model:
    return Model(**{**stored, "size": tuple(stored["size"]), "path": cache / stored["path"]})


def _store(item: Item, cache: Path) -> dict | None:
    role = roles.role(item)
    if role is None:
        return None
    with zipfile.ZipFile(item.archive) as archive:
        if item.model not in archive.namelist() or archive.getinfo(item.model).file_size > _HUGE:
            return None
        glass = role in roles.SUPPORTS or max(item.size) < _SMALL_M
        mesh = obj.read(archive, item.model, glass=glass)
    if mesh is None or len(mesh) < 4:
        return None
    mesh = simplified(sized(mesh, item.rotation, item.size), MOST_FACES)
    return {
        "key": item.key,
        "name": item.name,
        "role": role,
        "category": item.category,
        "size": item.size,
        "elevation": item.elevation,
        "path": _save(mesh, role, item.key, cache),
        "creator": item.creator,
        "licence": item.licence,
    }


def _store_plain(number: int, kind: str, mesh: Mesh, cache: Path) -> dict:
    """One of the models that are made here."""
    key, role = f"plain.{kind}-{number}", plain_models.ROLES.get(kind, "small")
    return {
        "key": key,
        "name": kind,
        "role": role,
        "category": plain_models.CATEGORIES[kind],
        "size": [float(each) for each in np.ptp(mesh.corners.reshape(-1, 3), axis=0)],
        "elevation": 0.0,
        "path": _save(mesh, role, key, cache),
        "creator": "this project",
        "licence": "Apache-2.0",
    }


def _save(mesh: Mesh, role: str, key: str, cache: Path) -> str:
    """Write the triangles, and the levels of what carries things; returns the file's name."""
    arrays = {name: getattr(mesh, name) for name in _MESH}
    if role in roles.SUPPORTS:
        arrays["heights"], arrays["air"] = supports.levels(mesh)
    path = f"{key}.npz"
    np.savez(cache / path, **arrays)
    return path


@lru_cache(maxsize=1000)
def mesh(path: Path) -> Mesh:
    """The triangles of a stored model."""
    with np.load(path) as file:
        return Mesh(**{name: file[name] for name in _MESH})


@lru_cache(maxsize=1000)
def levels(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Heights and air of a stored model's levels, as `supports.levels` says them."""
    with np.load(path) as file:
        return file["heights"], file["air"]
