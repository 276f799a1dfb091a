import torch

from monostep.data.procedural.render import scene, view
from monostep.data.procedural.scene import Lights, Scene, Solids

SIZE = (24, 32)


def test_a_mirrored_scene_looks_like_the_flipped_image():
    for index in range(5):
        one = scene(11, index)
        here, there = view(one, SIZE), view(one.mirrored(), SIZE)
        flipped = here.flip(torch.ones(1, dtype=torch.bool))
        same = (there.depth_m - flipped.depth_m).abs() < 1e-3 * (1 + flipped.depth_m)
        assert same.float().mean() > 0.998
        assert torch.isfinite(there.image).all()
        both = same[:, None].expand(-1, 3, -1, -1)
        apart = (there.normals - flipped.normals)[both].abs()
        assert (apart < 1e-3).float().mean() > 0.998


def test_stacked_scenes_look_as_each_does_alone():
    parts = [scene(11, index) for index in range(5)]
    together = view(Scene.stack(parts), SIZE)
    for index, part in enumerate(parts):
        alone = view(part, SIZE)
        same = (alone.depth_m[0] - together.depth_m[index]).abs() < 1e-3 * (1 + alone.depth_m[0])
        assert same.float().mean() > 0.998
        assert (alone.image[0] - together.image[index]).abs().mean() < 0.01


def test_padding_is_out_of_sight():
    one = scene(11, 0).boxes
    padded = one.padded(len(one) + 2)
    assert len(padded) == len(one) + 2
    assert (padded.centre_m[:, -2:, 2] < -1e5).all()
    assert len(Solids.stack([one, padded])) == len(padded)


def test_stacked_lights_are_padded_with_black():
    lights = scene(11, 0).lights
    more = Lights(
        position_m=lights.position_m.repeat(1, 2, 1), intensity=lights.intensity.repeat(1, 2, 1)
    )
    count = lights.position_m.shape[1]
    stacked = Lights.stack([lights, more])
    assert (stacked.intensity[0, count:] == 0).all()
    torch.testing.assert_close(stacked.mirrored().position_m[..., 0], -stacked.position_m[..., 0])


def test_to_moves_every_tensor():
    moved = scene(11, 0).to("meta")
    assert moved.boxes.axes.device.type == moved.look["exposure"].device.type == "meta"
