"""Models that the catalogues lack, made of boxes: books, papers, parcels, cushions, cupboards."""

from __future__ import annotations

import numpy as np
from scripts.furnished import textures
from scripts.furnished.mesh import TEXTURE, Mesh
from scripts.furnished.surfaces import Builder, Material

_COUNTS = {
    "books": 24, "pile": 16, "parcel": 24, "sheet": 8, "cupboard": 14, "shelf": 12, "tube": 24,
}  # fmt: skip
ROLES = {"cupboard": "cupboard", "shelf": "shelf"}
CATEGORIES = {
    "books": "Living room", "pile": "Office", "parcel": "Miscellaneous", "sheet": "Office",
    "cupboard": "Bedroom", "shelf": "Living room", "tube": "Kitchen",
}  # fmt: skip


def make_all() -> list[tuple[str, Mesh]]:
    """Every model with the name of its kind, always the same ones."""
    rng = np.random.default_rng(7)
    makers = {
        "books": _books, "pile": _pile, "parcel": _parcel, "sheet": _sheet,
        "cupboard": _cupboard, "shelf": _shelf, "tube": _tube,
    }  # fmt: skip
    made = []
    for kind, count in _COUNTS.items():
        for _ in range(count):
            builder = Builder()
            makers[kind](builder, rng)
            made.append((kind, _finished(builder)))
    return made


def _finished(builder: Builder) -> Mesh:
    """A mesh on the floor around the origin; its colours become sRGB again."""
    corners = np.concatenate(builder.corners)
    low, high = corners.min((0, 1)), corners.max((0, 1))
    corners = corners - np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    pictures = builder.textures
    return Mesh(
        corners=corners.astype(np.float32),
        uv=np.concatenate(builder.uv),
        material=np.concatenate(builder.material),
        colour=np.array([m.colour for m in builder.materials], np.float32),
        gloss=np.array([m.gloss for m in builder.materials], np.float32),
        texture=np.array([m.texture for m in builder.materials], np.int32),
        textures=np.stack(pictures) if pictures else np.zeros((0, TEXTURE, TEXTURE, 3), np.uint8),
    )


def _any(builder: Builder, rng: np.random.Generator) -> int:
    colour = textures.colour(rng, rng.uniform(0.08, 0.9), 0.6)
    return builder.add(Material(colour=colour.astype(np.float32)))


def _wooden(builder: Builder, rng: np.random.Generator) -> int:
    brown = np.array([0.62, 0.43, 0.26]) * rng.uniform(0.4, 1.5) * rng.normal(1, 0.05, 3)
    pale = textures.colour(rng, rng.uniform(0.5, 0.95), 0.1)
    picture = textures.wood(rng, brown, 4) if rng.random() < 0.6 else textures.cloth(rng, pale)
    number = builder.texture(picture)
    return builder.add(Material(colour=np.ones(3, np.float32), texture=number, gloss=0.02))


def _books(builder: Builder, rng: np.random.Generator) -> None:
    """A row of them, upright, between 0.15 and 0.5 m long."""
    end, x, deep = rng.uniform(0.15, 0.5), 0.0, rng.uniform(0.12, 0.2)
    tall = rng.uniform(0.16, 0.26)
    while x < end:
        thick, height = rng.uniform(0.012, 0.05), tall * rng.uniform(0.8, 1.1)
        front = deep * rng.uniform(0.85, 1.0)
        builder.box([x, 0, 0], [x + thick, height, front], _any(builder, rng))
        x += thick + 0.001


def _pile(builder: Builder, rng: np.random.Generator) -> None:
    """Books or magazines on each other."""
    y = 0.0
    for _ in range(int(rng.integers(1, 7))):
        thick, wide, deep = (
            rng.uniform(0.008, 0.045),
            rng.uniform(0.12, 0.24),
            rng.uniform(0.18, 0.3),
        )
        shift = rng.uniform(-0.015, 0.015, 2)
        low = [shift[0] - wide / 2, y, shift[1] - deep / 2]
        builder.box(low, [low[0] + wide, y + thick, low[2] + deep], _any(builder, rng))
        y += thick


def _parcel(builder: Builder, rng: np.random.Generator) -> None:
    """A box with something printed on it."""
    number = builder.texture(textures.painting(rng, []) if rng.random() < 0.6 else _brown(rng))
    material = builder.add(
        Material(colour=np.ones(3, np.float32), texture=number, period=float(rng.uniform(0.1, 0.5)))
    )
    size = np.exp(rng.uniform(np.log(0.05), np.log(0.4), 3)) * [1, 0.8, 1]
    builder.box([0, 0, 0], size, material)


def _brown(rng: np.random.Generator) -> np.ndarray:
    return textures.cloth(rng, np.array([0.68, 0.52, 0.36]) * rng.uniform(0.7, 1.2))


def _sheet(builder: Builder, rng: np.random.Generator) -> None:
    """Paper."""
    pale = textures.colour(rng, rng.uniform(0.8, 0.97), 0.05)
    material = builder.add(Material(colour=pale.astype(np.float32)))
    builder.box([0, 0, 0], [0.21, rng.uniform(0.002, 0.02), 0.297], material)


def _tube(builder: Builder, rng: np.random.Generator) -> None:
    """A tin, a pot or a bowl: turned from a profile, of 20 sides."""
    height = float(np.exp(rng.uniform(np.log(0.05), np.log(0.3))))
    radius = height * rng.uniform(0.2, 0.9)
    radii = radius * np.clip(1 + rng.normal(0, 0.2, 5).cumsum(), 0.3, 1.8)
    radii = np.full(5, radius) if rng.random() < 0.4 else radii
    angle = np.linspace(0, 2 * np.pi, 21)
    material = _any(builder, rng)
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)
    levels = np.linspace(0, height, 5)
    for low in range(4):
        for k in range(20):
            a, b = ring[k] * radii[low], ring[k + 1] * radii[low]
            c, d = ring[k + 1] * radii[low + 1], ring[k] * radii[low + 1]
            points = [
                [*_raised(a, levels[low])],
                [*_raised(b, levels[low])],
                [*_raised(c, levels[low + 1])],
                [*_raised(d, levels[low + 1])],
            ]
            builder.polygon(np.array(points, np.float32), material)
    for k in range(1, 19):
        lid = [_raised(ring[j] * radii[-1], height * 0.97) for j in (0, k, k + 1)]
        builder.polygon(np.array([*lid, lid[-1]], np.float32), material)


def _raised(point: np.ndarray, height: float) -> tuple[float, float, float]:
    return float(point[0]), float(height), float(point[1])


def _cupboard(builder: Builder, rng: np.random.Generator) -> None:
    """A body with doors or drawers in front."""
    body, front = _wooden(builder, rng), _wooden(builder, rng)
    front = body if rng.random() < 0.5 else front
    handle = _any(builder, rng)
    w, h, d = rng.uniform(0.7, 2.2), rng.uniform(0.8, 2.2), rng.uniform(0.38, 0.65)
    columns, rows = max(1, round(w / rng.uniform(0.4, 0.7))), int(rng.choice([1, 2, 4]))
    builder.box([0, 0, 0], [w, h, d - 0.02], body)
    gap = 0.004
    for i in range(columns):
        for j in range(rows):
            x0, x1 = i * w / columns + gap, (i + 1) * w / columns - gap
            y0, y1 = 0.06 + j * (h - 0.08) / rows + gap, 0.06 + (j + 1) * (h - 0.08) / rows - gap
            builder.box([x0, y0, d - 0.02], [x1, y1, d], front)
            x, y = (x0 + x1) / 2 if rows > 1 else x1 - 0.05, (y0 + y1) / 2
            size = np.array([0.05, 0.008]) if rows > 1 else np.array([0.008, 0.07])
            builder.box([x - size[0], y - size[1], d], [x + size[0], y + size[1], d + 0.02], handle)


def _shelf(builder: Builder, rng: np.random.Generator) -> None:
    """Boards between two sides, with or without a back."""
    board = _wooden(builder, rng)
    w, h, d = rng.uniform(0.5, 1.8), rng.uniform(0.7, 2.15), rng.uniform(0.22, 0.42)
    count, thick = max(2, round(h / rng.uniform(0.28, 0.42))), 0.022
    for x in (0.0, w - thick):
        builder.box([x, 0, 0], [x + thick, h, d], board)
    for level in np.linspace(0.05, h - thick, count + 1):
        builder.box([thick, level, 0], [w - thick, level + thick, d], board)
    if rng.random() < 0.7:
        builder.box([thick, 0.05, 0], [w - thick, h, 0.008], board)
