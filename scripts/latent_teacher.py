"""An encoder of the nano models that speaks TAESD's latents, learned from pictures alone.

    python scripts/latent_teacher.py TAESD_ENCODER.safetensors MANIFEST.jsonl -o runs/taught
    monostep train nano-depth -o runs/after --set autoencoder=runs/taught --set train_encoder=true

TAESD sees a picture at twice the size, so that its latents, an eighth of that, lie on the grid of
ours, a quarter. The result is `miniature-depth` with another encoder. The teacher is not shipped.
"""

import argparse
import random
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from monostep.checkpoints import embedded, folder
from monostep.data import manifest
from monostep.network.autoencoder_tiny import AutoencoderTinyConfig, TinyEncoder

TAESD = AutoencoderTinyConfig(width=64, encoder_blocks=(1, 3, 3, 3), decoder_blocks=(3, 3, 3, 1))
SIZE, BATCH, RATE = (96, 128), 8, 1e-3


def teacher(path: Path) -> TinyEncoder:
    """TAESD's encoder from its own file."""
    network = TinyEncoder(TAESD)
    weights = {f"layers.{name}": value.float() for name, value in load_file(path).items()}
    network.load_state_dict(weights)
    return network.requires_grad_(requires_grad=False)


def pictures(paths: list[Path], order: random.Random) -> Tensor:
    """A batch of pictures in [-1, 1]."""
    read = [
        Image.open(path).convert("RGB").resize(SIZE[::-1]) for path in order.sample(paths, BATCH)
    ]
    return torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2).float() / 127.5 - 1


def main() -> None:
    """Learn, say how well, write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("teacher", type=Path)
    asked.add_argument("manifest", type=Path)
    asked.add_argument("-o", "--output", type=Path, required=True)
    asked.add_argument("--steps", type=int, default=1500)
    given = asked.parse_args()
    torch.manual_seed(0)
    order, wise = random.Random(0), teacher(given.teacher)
    rows = manifest.read(given.manifest).rows
    paths = [row.image for row in rows]
    model, card = folder.load(embedded.locate("miniature-depth"))
    scale, pupil = model.vae.config.scale, TinyEncoder(model.vae.config)
    optimiser = torch.optim.AdamW(pupil.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, given.steps)
    for step in range(given.steps):
        image = pictures(paths, order)
        wanted = wise(F.interpolate(image, scale_factor=2.0, mode="bicubic", antialias=True))
        error = F.mse_loss(pupil(image) * scale, wanted)
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        schedule.step()
        if step % 100 == 0 or step == given.steps - 1:
            sys.stdout.write(f"step {step}  unexplained {error.item() / wanted.var().item():.3f}\n")
    model.vae.encoder.load_state_dict(pupil.state_dict())
    folder.save(model, card, given.output)


if __name__ == "__main__":
    main()
