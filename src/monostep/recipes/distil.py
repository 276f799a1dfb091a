"""Lighter codecs: a small one in place of a model's own, then the whole fitted to the same maps."""

from monostep.training.distil_config import CodecConfig, StudentConfig


def distil_decoder() -> CodecConfig:
    """A small codec that knows a teacher's latents and maps, around the teacher's UNet.

    monostep train distil-decoder -o runs/codec --set teacher=nano-depth [--set images=FOLDER]

    The UNet stays the teacher's, so the codec can also be put into the teacher when it is folded.
    """
    return CodecConfig(
        recipe="distil-decoder",
        task="codec",
        steps=1200,
        phases=((0.0, 48, 64, 16), (0.85, 96, 128, 8)),
        scenes=12_000,
        learning_rate=2e-3,
        final_fraction=0.03,
        weight_decay=0.0,
    )


def distil_finetune() -> StudentConfig:
    """The student of distil-decoder from end to end, UNet included.

    monostep train distil-finetune -o runs/student --set teacher=nano-depth --set start=runs/codec

    The rate is low: at ten times as much the student forgets more than it learns in 300 steps.
    """
    return StudentConfig(
        recipe="distil-finetune",
        task="student",
        steps=300,
        phases=((0.0, 96, 128, 8),),
        seed=1,
        scenes=12_000,
        learning_rate=4e-5,
        warmup=50,
        final_fraction=0.03,
        weight_decay=0.0,
    )
