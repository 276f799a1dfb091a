import warnings

import pytest
import transformers

from monostep.checkpoints import image_encoder_config
from monostep.errors import CheckpointError
from monostep.network.image_encoder import ImageEncoderConfig
from monostep.network.sizes import CLIP_LARGE, NANO_IMAGE_ENCODER, TINY_IMAGE_ENCODER

OTHER = ImageEncoderConfig(
    side=32, patch=8, width=24, layers=1, heads=3, inner=40, outputs=8, activation="gelu", eps=1e-6,
    mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6),
)  # fmt: skip
# As the published GeoWizard says it, where the keys count.
PUBLISHED = {
    "architectures": ["CLIPVisionModelWithProjection"],
    "attention_dropout": 0.0,
    "dropout": 0.0,
    "hidden_act": "quick_gelu",
    "hidden_size": 1024,
    "image_size": 224,
    "initializer_factor": 1.0,
    "initializer_range": 0.02,
    "intermediate_size": 4096,
    "layer_norm_eps": 1e-05,
    "model_type": "clip_vision_model",
    "num_attention_heads": 16,
    "num_channels": 3,
    "num_hidden_layers": 24,
    "patch_size": 14,
    "projection_dim": 768,
}


def read_again(config):
    return image_encoder_config.from_json(
        image_encoder_config.to_json(config), image_encoder_config.preprocessor_to_json(config)
    )


@pytest.mark.parametrize("config", [CLIP_LARGE, NANO_IMAGE_ENCODER, TINY_IMAGE_ENCODER, OTHER])
def test_dimensions_survive_both_files(config):
    assert read_again(config) == config


def test_transformers_reads_the_same_from_them():
    config = transformers.CLIPVisionConfig(**image_encoder_config.to_json(OTHER))
    assert (config.hidden_size, config.num_hidden_layers, config.projection_dim) == (24, 1, 8)
    assert (config.hidden_act, config.layer_norm_eps) == ("gelu", 1e-6)
    assert image_encoder_config.from_json(
        config.to_dict(), image_encoder_config.preprocessor_to_json(OTHER)
    ) == OTHER  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        processor = transformers.CLIPImageProcessor(
            **image_encoder_config.preprocessor_to_json(OTHER)
        )
    assert processor.crop_size["height"] == 32
    assert tuple(processor.image_std) == OTHER.std


@pytest.mark.parametrize("crop", [224, {"height": 224, "width": 224}, [224, 224], None])
def test_published_files_old_and_new_are_clips_large_encoder(crop):
    assert image_encoder_config.from_json(PUBLISHED, {"crop_size": crop}) == CLIP_LARGE
    lean = {**PUBLISHED, "hidden_act": None, "layer_norm_eps": None, "num_channels": None}
    assert image_encoder_config.from_json(lean, {}) == CLIP_LARGE


def test_a_colour_may_be_taken_from_zero():
    said = image_encoder_config.from_json(PUBLISHED, {"image_mean": [0, 0, 0]})
    assert said.mean == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("config", "preprocessor", "message"),
    [
        ({"model_type": "siglip_vision_model"}, {}, "model_type 'siglip_vision_model' is not"),
        ({"model_type": "clip"}, {}, "model_type 'clip' is not implemented"),
        ({"hidden_size": None}, {}, "hidden_size is missing"),
        ({"hidden_act": "silu"}, {}, "hidden_act 'silu'; expected quick_gelu or gelu"),
        ({"num_channels": 4}, {}, "num_channels 4"),
        ({"patch_size": 15}, {}, "image_size 224 cannot be divided by 15"),
        ({"num_attention_heads": 15}, {}, "hidden_size 1024 cannot be divided by 15"),
        ({}, {"crop_size": 256}, "crop_size 256; the image encoder looks at 224"),
        ({}, {"crop_size": {"height": 224, "width": 336}}, "crop_size"),
        ({}, {"crop_size": {"shortest_edge": 224}}, "crop_size"),
        ({}, {"crop_size": {"height": [224], "width": 224}}, "crop_size"),
        ({}, {"crop_size": [224, 336]}, r"crop_size \[224, 336\]; the image encoder"),
        ({}, {"crop_size": [[224]]}, "crop_size"),
        ({}, {"image_mean": []}, r"image_mean \[\]; expected three numbers"),
        ({}, {"image_mean": [0.5, float("nan"), 0.5]}, "expected three numbers"),
        ({}, {"image_mean": [0.5, 0.5]}, r"image_mean \[0.5, 0.5\]; expected three"),
        ({}, {"image_std": [0.5, 0.5, 0]}, "expected three positive numbers"),
        ({}, {"image_std": ["a", "b", "c"]}, "expected three positive numbers"),
        ({}, {"image_std": 0.5}, "expected three positive numbers"),
    ],
)
def test_what_cannot_be_run_is_one_line(config, preprocessor, message):
    with pytest.raises(CheckpointError, match=message):
        image_encoder_config.from_json({**PUBLISHED, **config}, preprocessor)
