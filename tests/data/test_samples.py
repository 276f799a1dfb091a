from dataclasses import replace

import torch

from monostep.data.samples import Samples


def samples(count, width=6):
    generator = torch.Generator().manual_seed(count)
    rand = lambda *shape: torch.rand(*shape, generator=generator)  # noqa: E731
    return Samples(
        image=rand(count, 3, 4, width),
        depth_m=rand(count, 4, width),
        normals=rand(count, 3, 4, width),
        valid=rand(count, 4, width) > 0.5,
        sky=rand(count, 4, width) > 0.5,
        intrinsics=torch.eye(3).expand(count, 3, 3) * 5,
        kind=torch.zeros(count, dtype=torch.int64),
    )


def test_flip_mirrors_only_where_asked():
    original = samples(2)
    flipped = original.flip(torch.tensor([True, False]))
    assert torch.equal(flipped.depth_m[0], original.depth_m[0].flip(-1))
    assert torch.equal(flipped.normals[0, 0], -original.normals[0, 0].flip(-1))
    assert torch.equal(flipped.normals[0, 1:], original.normals[0, 1:].flip(-1))
    assert flipped.intrinsics[0, 0, 2] == 6 - original.intrinsics[0, 0, 2]
    for name in ("image", "normals", "valid", "intrinsics"):
        assert torch.equal(getattr(flipped, name)[1], getattr(original, name)[1])


def test_flip_twice_is_no_flip():
    original, everywhere = samples(3), torch.ones(3, dtype=torch.bool)
    again = original.flip(everywhere).flip(everywhere)
    assert torch.equal(again.image, original.image)
    assert torch.equal(again.normals, original.normals)
    assert torch.equal(again.intrinsics, original.intrinsics)


def test_concatenate_keeps_the_order():
    first, second = samples(1), samples(2)
    both = Samples.concatenate([first, second])
    assert len(both) == 3
    assert torch.equal(both.image[:1], first.image)
    assert torch.equal(both.image[1:], second.image)


def test_to_moves_every_tensor():
    assert samples(1).to("meta").valid.device.type == "meta"


def test_confidence_goes_where_the_pixels_go_and_is_one_where_there_is_none():
    plain = samples(2)
    graded = replace(plain, confidence=plain.depth_m)
    mirrored = graded.flip(torch.tensor([True, True]))
    assert torch.equal(mirrored.trust(), mirrored.depth_m)
    assert torch.equal(graded.reduce(2).trust(), graded.reduce(2).depth_m)
    both = Samples.concatenate([plain, graded])
    assert torch.equal(both.trust(), torch.cat([torch.ones(2, 4, 6), plain.depth_m]))
    assert Samples.concatenate([plain, plain]).confidence is None
