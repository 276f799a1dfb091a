import pytest

from monostep.checkpoints import weight_files
from monostep.errors import CheckpointError

STEM = "unet/diffusion_pytorch_model"
PLAIN, HALF = f"{STEM}.safetensors", f"{STEM}.fp16.safetensors"
PARTS = tuple(f"{STEM}-0000{i}-of-00003.safetensors" for i in (1, 2, 3))
HALF_PARTS = tuple(f"{STEM}.fp16-0000{i}-of-00002.bin" for i in (1, 2))
OTHERS = ("unet/config.json", "model_index.json", f"{STEM}.safetensors.index.json", "vae/x.bin")


@pytest.mark.parametrize(
    ("names", "variant", "chosen"),
    [
        ([PLAIN], None, (PLAIN,)),
        ([HALF, PLAIN], None, (PLAIN,)),
        ([HALF, PLAIN], "fp16", (HALF,)),
        ([HALF], None, (HALF,)),
        ([f"{STEM}.bin", PLAIN], None, (PLAIN,)),
        ([f"{STEM}.bin"], None, (f"{STEM}.bin",)),
        ([f"{STEM}.fp16.bin", PLAIN], "fp16", (f"{STEM}.fp16.bin",)),
        (PARTS, None, PARTS),
        (PARTS[::-1], None, PARTS),
        ([*PARTS, PLAIN], None, (PLAIN,)),
        ([*HALF_PARTS, PLAIN], "fp16", HALF_PARTS),
        ([f"{STEM}.non_ema.safetensors", PLAIN], "non_ema", (f"{STEM}.non_ema.safetensors",)),
    ],
)
def test_the_files_of_a_part_are_found_in_any_order(names, variant, chosen):
    assert weight_files.choose([*OTHERS, *names], "unet", variant) == chosen
    assert weight_files.choose([*reversed(names), *OTHERS], "unet", variant) == chosen


@pytest.mark.parametrize("part", ["text_encoder", "image_encoder"])
def test_an_encoder_has_names_of_its_own(part):
    names = [f"{part}/pytorch_model.bin", f"{part}/model.fp16.safetensors", PLAIN]
    assert weight_files.choose(names, part) == (names[0],)
    assert weight_files.choose(names, part, "fp16") == (names[1],)


def test_a_part_without_the_variant_gives_its_plain_files_where_that_will_do():
    assert weight_files.nearest([PLAIN], "unet", "fp16") == (PLAIN,)
    assert weight_files.nearest([PLAIN, HALF], "unet", "fp16") == (HALF,)
    assert weight_files.nearest([HALF], "unet") == (HALF,)
    assert weight_files.nearest([HALF], "unet", "ema") == (HALF,)
    with pytest.raises(CheckpointError, match="no plain weights; this checkpoint has ema, fp16"):
        weight_files.nearest([HALF, f"{STEM}.ema.bin"], "unet", "bf16")
    torn = f"{STEM}.fp16-00001-of-00002.safetensors"  # there, but not whole: no reason for others
    with pytest.raises(CheckpointError, match="part 2 of 2 is missing"):
        weight_files.nearest([PLAIN, torn], "unet", "fp16")


@pytest.mark.parametrize(
    ("names", "variant", "message"),
    [
        (OTHERS, None, r"unet/: no weights \(.safetensors or .bin\)"),
        ([PLAIN], "fp16", r"no variant 'fp16'; this checkpoint has the plain one"),
        ([HALF, f"{STEM}.ema.bin"], None, "no plain weights; this checkpoint has ema, fp16"),
        ([HALF], "ema", "no variant 'ema'; this checkpoint has fp16"),
        (PARTS[:2], None, "part 3 of 3 is missing"),
        (PARTS[1:], None, "part 1 of 3 is missing"),
    ],
)
def test_what_is_not_there_is_named(names, variant, message):
    with pytest.raises(CheckpointError, match=message):
        weight_files.choose(names, "unet", variant)
