import pytest
import torch

from monostep.network.attention import Attention, PixelAttention, timestep_embedding


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


def test_odd_context_widths_are_refused_by_the_shape_check():
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        Attention(16, heads=2, context=8)(torch.randn(1, 5, 16), torch.randn(1, 4, 9))
