import zipfile

import numpy as np
import pytest
from scripts.furnished import catalogue, mesh, obj, roles

LISTING = """# a comment
name=Two things
license=CC0
id#1=a#chair
name#1=Chair
category#1=Living room
model#1=/things/chair/chair.obj
width#1=50
depth#1=60.5
height#1=90
creator#1=Somebody
id#2=a#lamp
name#2=Hanging light
category#2=Lights
model#2=/things/lamp/lamp.obj
modelRotation#2=1 0 0 0 0 1 0 -1 0
width#2=40
depth#2=40
height#2=80
elevation#2=164
license#2=CC-BY
"""
OBJ = """mtllib chair.mtl
v 0 0 0
v 2 0 0
v 2 4 0
v 0 4 0
v 0 0 3
vt 0 0
vt 1 1
usemtl red wood
f 1/1 2/2 3/1 4/2
usemtl glass
f -5 -4 -1
"""
MTL = """newmtl red wood
Kd 1 0 0
Ns 60
Ks 0.5 0.5 0.5
newmtl glass
Kd 1 1 1
d 0.2
"""


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "Own.sh3f"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(catalogue.LISTING, LISTING.encode("latin-1"))
        file.writestr("things/chair/chair.obj", OBJ)
        file.writestr("things/chair/chair.mtl", MTL)
    return path


def test_a_listing_gives_every_model_with_its_size_author_and_licence(archive):
    chair, lamp = catalogue.items(archive.parent)
    assert chair.size == (0.5, 0.9, 0.605) and chair.elevation == 0
    assert (chair.creator, chair.licence) == ("Somebody", "CC0")
    assert (lamp.creator, lamp.licence, lamp.elevation) == ("unknown", "CC-BY", 1.64)
    assert lamp.rotation == (1, 0, 0, 0, 0, 1, 0, -1, 0)
    assert (chair.key, lamp.key) == ("Own.chair", "Own.lamp")
    assert (roles.role(chair), roles.role(lamp)) == ("chair", "ceiling_lamp")


def test_polygons_become_triangles_with_the_colours_of_their_materials(archive):
    with zipfile.ZipFile(archive) as file:
        found = obj.read(file, "things/chair/chair.obj", glass=True)
    assert found is not None and len(found) == 3
    assert found.corners[1].tolist() == [[0, 0, 0], [2, 4, 0], [0, 4, 0]]
    assert found.corners[2].tolist() == [[0, 0, 0], [2, 0, 0], [0, 0, 3]]  # counted from the end
    assert found.uv[0].tolist() == [[0, 0], [1, 1], [0, 0]]
    assert found.colour[found.material].tolist() == [[1, 0, 0], [1, 0, 0], [1, 1, 1]]
    assert (found.gloss[found.material] > 0).tolist() == [True, True, False]


def test_glass_is_left_out_where_it_is_to_be(archive):
    with zipfile.ZipFile(archive) as file:
        found = obj.read(file, "things/chair/chair.obj", glass=False)
    assert found is not None and len(found) == 2


def ball(count):
    """Triangles between random points of a ball, with one material."""
    points = np.random.default_rng(0).normal(size=(count, 1, 3))
    points /= np.linalg.norm(points, axis=-1, keepdims=True)
    near = points + np.random.default_rng(1).normal(0, 0.02, (count, 3, 3))
    return mesh.Mesh(
        corners=near.astype(np.float32),
        uv=np.zeros((count, 3, 2), np.float32),
        material=np.zeros(count, np.int32),
        colour=np.ones((1, 3), np.float32),
        gloss=np.zeros(1, np.float32),
        texture=np.full(1, -1, np.int32),
        textures=np.zeros((0, mesh.TEXTURE, mesh.TEXTURE, 3), np.uint8),
    )


def test_a_model_stands_on_the_origin_with_its_size_whatever_its_rotation():
    turned = mesh.sized(ball(50), (1, 0, 0, 0, 0, 1, 0, -1, 0), (0.5, 0.9, 0.6))
    low, high = turned.corners.min((0, 1)), turned.corners.max((0, 1))
    assert np.allclose(low, (-0.25, 0, -0.3), atol=1e-6)
    assert np.allclose(high, (0.25, 0.9, 0.3), atol=1e-6)


def test_simplifying_keeps_the_shape_within_a_cell_and_drops_what_collapses():
    whole = ball(20_000)
    small = mesh.simplified(whole, 3000)
    assert 500 < len(small) < len(whole)
    radius = np.linalg.norm(small.corners, axis=-1)
    assert abs(radius - 1).max() < 0.25
    a, b, c = small.corners.transpose(1, 0, 2)
    assert ((a != b).any(1) & (b != c).any(1) & (a != c).any(1)).all()
    assert mesh.simplified(whole, 20_000) is whole
