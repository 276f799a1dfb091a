"""The tests' own GeoWizard checkpoints: what they are told must be seen in their maps."""

import json
import warnings

import diffusers
import diffusers_joint
import geowizard_folders
import marigold_folders
import pytest
import torch
import transformers
from diffusers.models.attention_processor import AttnProcessor2_0
from geowizard_folders import INDOOR, OBJECT, OUTDOOR, SCALE


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return geowizard_folders.write(tmp_path_factory.mktemp("models") / "model", "geowizard")


def read(cls, *place):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cls.from_pretrained(*place, low_cpu_mem_usage=False)


class Written:
    """The folder as it was written, run by the libraries that wrote it."""

    def __init__(self, place, unet="unet"):
        self.unet = read(diffusers.UNet2DConditionModel, place / unet)
        self.vae = read(diffusers.AutoencoderKL, place / "vae")
        self.image_encoder = transformers.CLIPVisionModelWithProjection.from_pretrained(
            place / "image_encoder"
        )
        diffusers_joint.install(self.unet)

    def maps(self, image, *, domain=INDOOR, noise=0.0, looks_at=None, words=None):
        latent = SCALE * self.vae.encode(image).latent_dist.mean
        square = image if looks_at is None else looks_at
        square = torch.nn.functional.interpolate(square, (28, 28), mode="bicubic", antialias=True)
        token = self.image_encoder(square).image_embeds[:, None] if words is None else words
        seen = torch.cat([latent, noise * torch.ones_like(latent)], dim=1).repeat(2, 1, 1, 1)
        labels = geowizard_folders.class_labels(1, domain)
        labels = labels[:, : self.unet.config.projection_class_embeddings_input_dim]
        velocity = self.unet(seen, 999, token.repeat(2, 1, 1), class_labels=labels).sample
        return self.vae.decode(-velocity / SCALE).sample


def picture(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return marigold_folders.smooth_picture(72, 120)


def far(one, other):
    return (one - other).abs().mean() > 0.03


@torch.no_grad()
def test_the_maps_spread_and_tell_apart_what_the_model_is_told(place):
    written, image = Written(place), picture(7)
    maps = written.maps(image)
    assert (maps.mean(dim=(1, 2, 3)).abs() < 0.15).all()
    assert (maps.std(dim=(1, 2, 3)) > 0.25).all()
    assert maps[0].mean(dim=0).std() > 0.1  # depth is the mean of the channels
    assert (maps.abs() > 1).float().mean() < 0.1
    assert far(maps[0], maps[1])
    for other in (
        {"domain": OUTDOOR},
        {"domain": OBJECT},
        {"noise": 1.0},
        {"looks_at": picture(8)},
    ):
        assert far(written.maps(image, **other), maps), other
    written.unet.set_attn_processor(AttnProcessor2_0())
    assert far(written.maps(image), maps)  # without joint attention


@torch.no_grad()
def test_the_second_version_listens_to_words(place, tmp_path):
    words = geowizard_folders.write(tmp_path / "words", "stable-diffusion-2")
    tokenizer = transformers.CLIPTokenizer.from_pretrained(words / "tokenizer")
    encoder = transformers.CLIPTextModel.from_pretrained(words / "text_encoder")
    written, image, maps = Written(place, "unet_v2"), picture(7), []
    for domain, number in (("indoor", 9546), ("outdoor", 6368), ("object", 14115)):
        ids = tokenizer(f"{domain} geometry").input_ids
        assert ids == [49406, number, 21731, 49407]  # as CLIP's own tokenizer has them
        context = encoder(torch.tensor([ids])).last_hidden_state
        maps.append(written.maps(image, words=context))
        assert 0.25 < maps[-1].std() < 0.6
        assert far(maps[-1][0], maps[-1][1])
    assert all(far(maps[i], maps[i - 1]) for i in range(3))
    assert tokenizer("").input_ids == [49406, 49407]


def test_the_published_traps_are_in_the_files(tmp_path):
    first, second = (
        geowizard_folders.write(tmp_path / kind, kind) for kind in ("geowizard", "geowizard-e2e")
    )
    weights = "unet/diffusion_pytorch_model.safetensors"  # so what is measured above is of both
    assert (first / weights).read_bytes() == (second / weights).read_bytes()
    with pytest.raises(json.JSONDecodeError):
        json.loads((first / "model_index.json").read_text())
    index = json.loads((second / "model_index.json").read_text())
    assert index["unet"] == ["geowizard.models.unet_2d_condition", "UNet2DConditionModel"]
    scheduler = json.loads((second / "scheduler" / "scheduler_config.json").read_text())
    assert scheduler["timestep_spacing"] == "leading"
    for folder, numbers in ((first / "unet", 10), (first / "unet_v2", 4), (second / "unet", 10)):
        config = json.loads((folder / "config.json").read_text())
        assert config["class_embed_type"] == "projection"
        assert config["projection_class_embeddings_input_dim"] == numbers
        assert config["class_embeddings_concat"] is False
    assert not (second / "unet_v2").exists()


def test_another_seed_is_another_checkpoint_and_the_same_seed_the_same(tmp_path):
    def weights(name):
        return (tmp_path / name / "unet" / "diffusion_pytorch_model.safetensors").read_bytes()

    geowizard_folders.write(tmp_path / "first", "geowizard-e2e")
    for seed in (0, 1):
        geowizard_folders.write_anew(tmp_path / str(seed), "geowizard-e2e", seed=seed)
        assert (weights(str(seed)) == weights("first")) == (seed == 0)
