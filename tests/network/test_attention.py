import copy

import pytest
import torch

from monostep.network.attention import (
    Attention,
    PixelAttention,
    in_halves,
    side_by_side,
    timestep_embedding,
)


def test_timestep_embedding_has_the_published_values():
    embedding = timestep_embedding(torch.tensor([999.0]), 320)[0]
    torch.testing.assert_close(
        embedding[:3], torch.tensor([0.9996, 0.8027, -0.2781]), rtol=0, atol=1e-4
    )
    torch.testing.assert_close(embedding[:160] ** 2 + embedding[160:] ** 2, torch.ones(160))


def test_attention_does_not_care_about_the_order_of_the_context():
    torch.manual_seed(0)
    attention = Attention(16, heads=2, context=8)
    tokens, context = torch.randn(1, 5, 16), torch.randn(1, 4, 8)
    torch.testing.assert_close(attention(tokens, context), attention(tokens, context.flip(1)))


def test_attention_to_one_token_is_linear_in_it():
    torch.manual_seed(0)
    attention = Attention(16, heads=2, context=8)
    token = torch.randn(1, 1, 8)
    expected = attention.to_out[0](attention.to_v(token))
    output = attention(torch.randn(1, 5, 16), token)
    torch.testing.assert_close(output, expected.expand(-1, 5, -1))


def test_pixel_attention_follows_a_permutation_of_the_pixels():
    torch.manual_seed(0)
    attention = PixelAttention(8, groups=2)
    features = torch.randn(1, 8, 3, 4)
    flipped = attention(features.flip(3)).flip(3)
    torch.testing.assert_close(attention(features), flipped, rtol=1e-5, atol=1e-5)


def test_attention_in_bfloat16_has_the_gradient_of_float64():
    torch.manual_seed(0)
    attention = Attention(16, heads=2)
    tokens = torch.randn(2, 12, 16, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = attention(tokens)
    (found,) = torch.autograd.grad(output.float().square().sum(), tokens)
    exact = copy.deepcopy(attention).double()(tokens.double())
    (expected,) = torch.autograd.grad(exact.square().sum(), tokens)
    assert output.dtype == torch.bfloat16
    torch.testing.assert_close(output, exact, rtol=0, atol=0.02, check_dtype=False)
    torch.testing.assert_close(found, expected, rtol=0, atol=0.03 * expected.abs().max().item())


def test_odd_context_widths_are_refused_by_the_shape_check():
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        Attention(16, heads=2, context=8)(torch.randn(1, 5, 16), torch.randn(1, 4, 9))


def joint_attention(**other):
    torch.manual_seed(0)
    return Attention(24, heads=3, **{"joint": True, **other})


def written_out(attention, tokens):
    """Joint attention, image by image, half by half, head by head, with a plain softmax."""
    to_q, to_k, to_v = (
        getattr(attention, name).weight.double() for name in ("to_q", "to_k", "to_v")
    )
    to_out, width = attention.to_out[0], tokens.shape[2] // attention.heads
    images, read = len(tokens) // 2, []
    for index, own in enumerate(tokens):
        image = index % images
        both = torch.cat([tokens[image], tokens[images + image]])
        heads = []
        for head in range(attention.heads):
            rows = slice(head * width, (head + 1) * width)
            logits = (own @ to_q[rows].T) @ (both @ to_k[rows].T).T / width**0.5
            weight = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
            heads.append(weight @ (both @ to_v[rows].T))
        read.append(torch.cat(heads, dim=1) @ to_out.weight.double().T + to_out.bias.double())
    return torch.stack(read)


def test_joint_attention_is_its_definition_in_values_and_gradients():
    attention = joint_attention()
    tokens = torch.randn(6, 7, 24)
    reference = copy.deepcopy(attention)
    leaves = tokens.clone().requires_grad_(), tokens.double().requires_grad_()
    output, expected = attention(leaves[0]), written_out(reference, leaves[1])
    torch.testing.assert_close(output.double(), expected, rtol=0, atol=1e-6)
    towards = torch.randn(output.shape)
    (output * towards).sum().backward()
    (expected * towards).sum().backward()
    pairs = [leaves, *zip(attention.parameters(), reference.parameters(), strict=True)]
    assert len(pairs) == 6
    for ours, theirs in pairs:
        assert torch.isfinite(ours.grad).all()
        assert ours.grad.abs().max() > 0.1
        torch.testing.assert_close(ours.grad.double(), theirs.grad.double(), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_joint_attention_differs_from_separate_with_the_same_weights():
    joint, separate = joint_attention(), joint_attention(joint=False)
    separate.load_state_dict(joint.state_dict())
    tokens = torch.randn(4, 5, 24)
    assert (joint(tokens) - separate(tokens)).abs().mean() > 0.01
    same = tokens[:2].repeat(2, 1, 1)  # what is read twice is read as once
    torch.testing.assert_close(joint(same), separate(same), rtol=0, atol=1e-6)


@torch.no_grad()
def test_swapped_halves_swap_the_outputs_of_joint_attention():
    attention = joint_attention()
    tokens = torch.randn(4, 5, 24)
    swapped = attention(tokens.roll(2, dims=0)).roll(2, dims=0)
    torch.testing.assert_close(swapped, attention(tokens), rtol=0, atol=1e-6)


@torch.no_grad()
def test_joint_attention_sees_the_other_half_of_its_own_image_only():
    attention = joint_attention()
    tokens = torch.randn(6, 5, 24)
    changed = tokens.clone()
    changed[4] += 1  # the second image, in the second half
    difference = (attention(changed) - attention(tokens)).abs().amax(dim=(1, 2))
    assert (difference > 0.01).tolist() == [False, True, False, False, True, False]
    assert difference[[0, 2, 3, 5]].max() == 0


def test_a_batch_without_halves_is_refused():
    with pytest.raises(ValueError, match="joint attention of a batch of 3: expected two equal"):
        joint_attention()(torch.randn(3, 5, 24))


def test_what_is_side_by_side_can_be_taken_apart_again():
    tokens = torch.arange(4.0 * 3 * 2).reshape(4, 3, 2)
    both = side_by_side(tokens)
    assert torch.equal(both[1], torch.cat([tokens[1], tokens[3]]))
    assert torch.equal(in_halves(both), tokens)
