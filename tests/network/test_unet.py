from dataclasses import replace

import diffusers_joint
import diffusers_twin
import pytest
import torch

from monostep.diffusion.class_numbers import class_numbers
from monostep.network.sizes import (
    GEOWIZARD_UNET,
    GEOWIZARD_V2_UNET,
    NANO_UNET,
    SD2_UNET,
    TINY_JOINT_UNET,
    TINY_JOINT_V2_UNET,
    TINY_UNET,
)
from monostep.network.unet import UNet

SIZES = [
    (8, 8),
    (16, 24),
    (7, 9),
    (15, 20),
    (11, 38),
]  # 60x80 and 44x152 leave odd skips like these


def _inputs(size, *, tokens=2):
    generator = torch.Generator().manual_seed(0)
    latent = torch.randn(2, TINY_UNET.in_channels, *size, generator=generator)
    context = torch.randn(2, tokens, TINY_UNET.context, generator=generator)
    return latent, torch.tensor([999, 1]), context


@pytest.fixture(scope="module")
def twins():
    torch.manual_seed(0)
    theirs = diffusers_twin.unet(TINY_UNET)
    ours = UNet(TINY_UNET)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return ours, theirs


@pytest.mark.parametrize("size", SIZES)
def test_unet_equals_diffusers_in_values_and_gradients(twins, size):
    ours, theirs = twins
    latent, time, context = _inputs(size)
    ours.zero_grad()
    theirs.zero_grad()
    our_output = ours(latent, time, context)
    their_output = theirs(latent, time, context).sample
    torch.testing.assert_close(our_output, their_output, rtol=0, atol=0)
    our_output.square().sum().backward()
    their_output.square().sum().backward()
    reference = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    for name, parameter in ours.named_parameters():
        # Sums over pixels run in another order: equal to float32 rounding, not to the bit.
        torch.testing.assert_close(parameter.grad, reference[name], rtol=1e-4, atol=1e-5, msg=name)


def test_diffusers_loads_our_weights_strictly(twins):
    ours, theirs = twins
    theirs.load_state_dict(ours.state_dict(), strict=True)


def test_nano_equals_diffusers():
    torch.manual_seed(0)
    theirs, ours = diffusers_twin.unet(NANO_UNET), UNet(NANO_UNET)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    latent = torch.randn(1, 8, 12, 16)
    context = torch.randn(1, 2, NANO_UNET.context)
    with torch.no_grad():
        output = theirs(latent, 999, context).sample
        torch.testing.assert_close(
            ours(latent, torch.tensor([999]), context), output, rtol=0, atol=0
        )


SEPARATE_UNET = replace(TINY_JOINT_UNET, joint=False)
WITH_CLASSES = {"joint": TINY_JOINT_UNET, "separate": SEPARATE_UNET, "words": TINY_JOINT_V2_UNET}


CASES = [("joint", (8, 8)), ("joint", (7, 9)), ("joint", (11, 14))]
CASES += [("separate", (7, 9)), ("words", (8, 8))]


@pytest.fixture(scope="module")
def twins_with_classes(request):
    """A UNet with classes, and diffusers' in float64 with the same weights and attention."""
    config = WITH_CLASSES[request.param]
    torch.manual_seed(0)
    theirs = diffusers_twin.unet(config).double()
    if config.joint:
        diffusers_joint.install(theirs)
    ours = UNet(config).double()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return ours, theirs


@pytest.mark.parametrize(("twins_with_classes", "size"), CASES, indirect=["twins_with_classes"])
def test_unet_with_classes_equals_diffusers_in_values_and_gradients(twins_with_classes, size):
    ours, theirs = (network.zero_grad() or network for network in twins_with_classes)
    latent, _, context = (part.repeat_interleave(2, dim=0).double() for part in _inputs(size))
    time = torch.tensor([999, 20, 999, 20])
    classes = class_numbers(torch.tensor([0, 2]), ours.config.classes).double()
    our_output = ours(latent, time, context, classes)
    their_output = theirs(latent, time, context, class_labels=classes).sample
    torch.testing.assert_close(our_output, their_output, rtol=1e-9, atol=1e-10)
    our_output.square().sum().backward()
    their_output.square().sum().backward()
    reference = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    for name, parameter in ours.named_parameters():
        assert parameter.grad.abs().max() > 0, name
        torch.testing.assert_close(parameter.grad, reference[name], rtol=1e-7, atol=1e-9, msg=name)


@torch.no_grad()
def test_joint_and_separate_are_the_same_weights_and_other_results():
    torch.manual_seed(0)
    joint, separate = UNet(TINY_JOINT_UNET), UNet(SEPARATE_UNET)
    separate.load_state_dict(joint.state_dict(), strict=True)
    latent, time, context = _inputs((8, 8))
    classes = class_numbers(torch.tensor([0]))
    for network in (joint, separate):
        network.class_embedding.linear_2.weight.mul_(5)  # so that the halves differ
    assert not torch.allclose(
        joint(latent, time, context, classes), separate(latent, time, context, classes), atol=1e-4
    )


def test_classes_are_given_if_and_only_if_there_are_any(twins):
    inputs = _inputs((8, 8))
    with pytest.raises(ValueError, match="classes given, expected no numbers for each image"):
        twins[0](*inputs, torch.zeros(2, 10))
    with pytest.raises(ValueError, match="classes missing, expected 10 numbers for each image"):
        UNet(TINY_JOINT_UNET)(*inputs)


PUBLISHED = {
    "sd2": (SD2_UNET, 865_922_244, 686),
    "geowizard": (GEOWIZARD_UNET, 861_186_244, 690),
    # SD2's, and the class embedding: 4 x 1280 + 1280 and 1280 x 1280 + 1280
    "geowizard-v2": (GEOWIZARD_V2_UNET, 867_568_324, 690),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_size_has_the_published_number_of_parameters(name):
    config, parameters, tensors = PUBLISHED[name]
    with torch.device("meta"):
        unet = UNet(config)
    assert sum(parameter.numel() for parameter in unet.parameters()) == parameters
    assert len(unet.state_dict()) == tensors


def test_checked_shapes_refuse_a_wrong_timestep_axis(twins):
    latent, _, context = _inputs((8, 8))
    with pytest.raises(Exception, match="time"):
        twins[0](latent, torch.zeros(2, 1, dtype=torch.long), context)
