"""The tests' own checkpoints: their outputs must spread, or comparing them would prove nothing."""

import warnings

import diffusers
import marigold_folders
import pytest
import torch


@pytest.mark.parametrize("kind", marigold_folders.INDEX)
@pytest.mark.slow
def test_decoded_maps_spread_over_the_range_for_other_pictures_and_noise(published, kind):
    place = published(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        unet = diffusers.UNet2DConditionModel.from_pretrained(place / "unet")
        vae = diffusers.AutoencoderKL.from_pretrained(place / "vae")
    generator = torch.Generator().manual_seed(7)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(7)
        image = marigold_folders.smooth_picture(72, 120)
        latent = marigold_folders.SCALE * vae.encode(image).latent_dist.mean
        assert 0.5 < latent.std() < 2
        for noise in (torch.zeros(latent.shape), torch.randn(latent.shape, generator=generator)):
            inputs = torch.cat([latent, noise], dim=1)[:, : unet.config.in_channels]
            velocity = unet(inputs, 999, torch.randn(1, 2, 16, generator=generator)).sample
            decoded = vae.decode(-velocity / marigold_folders.SCALE).sample
            seen = decoded if "normals" in kind else decoded.mean(dim=1)
            assert 0.5 < velocity.std() < 2
            assert abs(seen.mean()) < 0.15
            assert 0.25 < seen.std() < 0.6
            assert (seen.abs() > 1).float().mean() < 0.1


def test_another_seed_is_another_checkpoint_and_the_same_seed_the_same(tmp_path):
    def weights(name, seed):
        folder = tmp_path / name
        marigold_folders.write_anew(folder, "e2e-depth", seed=seed, text_encoder=False)
        assert not (folder / "text_encoder").exists()
        return (folder / "unet" / "diffusion_pytorch_model.safetensors").read_bytes()

    first = weights("a", 0)
    assert weights("b", 0) == first
    assert weights("c", 1) != first
