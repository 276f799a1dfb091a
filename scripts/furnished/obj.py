"""Wavefront OBJ and MTL from an archive, as far as the catalogues use them."""

from __future__ import annotations

import io
import posixpath
import zipfile
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image
from scripts.furnished.mesh import TEXTURE, Mesh

_MOST_CUT = 0.25  # share of the area that may be cut out by alpha: without leaves, no tree
_CLEAR = 0.5  # opacity below which a material is left out


@dataclass
class Material:
    """What an MTL file says of one material."""

    colour: tuple[float, float, float] = (0.7, 0.7, 0.7)
    specular: float = 0.0
    shine: float = 0.0
    opacity: float = 1.0
    texture: str | None = None


def read(archive: zipfile.ZipFile, path: str, *, glass: bool) -> Mesh | None:
    """The model at `path`; None if nothing of it is left to see.

    Args:
        archive: holds the model and what it refers to.
        path: of the OBJ file.
        glass: whether what is transparent is opaque here; it is left out otherwise.
    """
    positions, uvs, faces, names, libraries = _parse(_text(archive, path))
    if not faces:
        return None
    folder = posixpath.dirname(path)
    known: dict[str, Material] = {}
    for library in libraries:
        known.update(_materials(archive, posixpath.join(folder, library)))
    materials = [known.get(name, Material()) for name in names]
    textures, indices, cut = _textures(archive, folder, materials)
    corner = np.array([face[:6] for face in faces], np.int64)
    material = np.array([face[6] for face in faces], np.int32)
    gone = np.array([m.opacity < _CLEAR and not glass for m in materials]) | cut
    keep = ~gone[material]
    position = np.array(positions, np.float32).reshape(-1, 3)
    if not keep.any() or _share(position[corner[:, 0::2]], cut[material]) > _MOST_CUT:
        return None
    uv = np.array([*uvs, (0.0, 0.0)], np.float32).reshape(-1, 2)
    return Mesh(
        corners=position[corner[keep, 0::2]],
        uv=uv[corner[keep, 1::2]],
        material=material[keep],
        colour=np.array([m.colour for m in materials], np.float32).clip(0, 1),
        gloss=np.array([_gloss(m) for m in materials], np.float32),
        texture=indices,
        textures=textures,
    )


def _share(corners: np.ndarray, chosen: np.ndarray) -> float:
    """Of the area, what the chosen triangles have."""
    a, b, c = corners.transpose(1, 0, 2)
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return float(areas[chosen].sum() / max(float(areas.sum()), 1e-12))


def _gloss(material: Material) -> float:
    return 0.06 * min(1.0, material.specular) if material.shine > 20 else 0.0


def _text(archive: zipfile.ZipFile, path: str) -> str:
    return archive.read(path).decode("latin-1")


def _parse(text: str) -> tuple[list, list, list, list[str], list[str]]:
    """Positions, texture coordinates, triangles (six indices and a material), names, libraries."""
    positions: list[tuple[float, ...]] = []
    uvs: list[tuple[float, ...]] = []
    faces: list[tuple[int, ...]] = []
    names, libraries, current = [""], [], 0
    for line in text.replace("\\\n", " ").splitlines():
        words = line.split()
        match words[0] if words else "":
            case "v":
                positions.append((float(words[1]), float(words[2]), float(words[3])))
            case "vt":
                uvs.append((float(words[1]), float(words[2])))
            case "f":
                faces += _fan(words[1:], len(positions), len(uvs), current)
            case "usemtl":
                name = " ".join(words[1:])
                if name not in names:
                    names.append(name)
                current = names.index(name)
            case "mtllib":
                libraries.append(" ".join(words[1:]))
    return positions, uvs, faces, names, libraries


def _fan(words: list[str], positions: int, uvs: int, material: int) -> list[tuple[int, ...]]:
    """A polygon as triangles around its first corner; no texture coordinate is index -1."""
    corners = []
    for word in words:
        parts = word.split("/")
        v = int(parts[0])
        t = int(parts[1]) if len(parts) > 1 and parts[1] else 0
        corners.append((v - 1 if v > 0 else positions + v, t - 1 if t >= 0 else uvs + t))
    first = corners[0]
    return [(*first, *second, *third, material) for second, third in pairwise(corners[1:])]


def _materials(archive: zipfile.ZipFile, path: str) -> dict[str, Material]:
    if path not in archive.namelist():
        return {}
    found: dict[str, Material] = {}
    current = Material()
    for line in _text(archive, path).splitlines():
        words = line.split()
        if len(words) < 2:
            continue
        if words[0] == "newmtl":
            current = found[" ".join(words[1:])] = Material()
        else:
            _tell(current, words)
    return found


def _tell(material: Material, words: list[str]) -> None:
    match words[0]:
        case "Kd":
            material.colour = (float(words[1]), float(words[2]), float(words[3]))
        case "Ks":
            material.specular = float(words[1])
        case "Ns":
            material.shine = float(words[1])
        case "d":
            material.opacity = float(words[-1])
        case "map_Kd":
            material.texture = words[-1]


def _textures(
    archive: zipfile.ZipFile, folder: str, materials: list[Material]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures of one size, each material's index into them, and which are cut out by alpha."""
    pictures: list[np.ndarray] = []
    index = np.full(len(materials), -1, np.int32)
    cut = np.zeros(len(materials), bool)
    known = set(archive.namelist())
    for number, material in enumerate(materials):
        path = posixpath.normpath(posixpath.join(folder, material.texture or ""))
        if not material.texture or path not in known:
            continue
        with Image.open(io.BytesIO(archive.read(path))) as picture:
            colours = picture.convert("RGBA")
        alpha = np.asarray(colours.getchannel("A"))
        cut[number] = (alpha < 128).mean() > 0.15
        index[number] = len(pictures)
        small = colours.convert("RGB").resize((TEXTURE, TEXTURE), Image.Resampling.BOX)
        pictures.append(np.asarray(small))
    shape = (0, TEXTURE, TEXTURE, 3)
    return np.stack(pictures) if pictures else np.zeros(shape, np.uint8), index, cut
