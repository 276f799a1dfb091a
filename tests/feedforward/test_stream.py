import torch

from monostep.feedforward import stream


def test_a_strip_is_of_so_many_bytes():
    features = torch.randn(2, 4, 16, 8)  # 256 bytes a row and image
    with torch.inference_mode():
        row = features.nbytes // 16
        assert stream.rows(features, stream.WHOLE) == 0
        assert stream.rows(features, features.nbytes // 2) == 0  # two strips save nothing
        assert stream.rows(features, 5 * row) == 5
        assert stream.rows(features, 5 * row + 1) == 5
        assert stream.rows(features, 1) == 1
    assert stream.rows(features, 1) == 0, "nothing streams where gradients may be wanted"
    with torch.no_grad():
        assert stream.rows(features, 1) == 0


def test_memory_is_free_only_in_inference_mode():
    assert not stream.is_free()
    with torch.inference_mode():
        assert stream.is_free()
