"""How well an autoencoder reproduces images, depth and normals of held-out scenes.

python scripts/round_trip.py runs/nano-autoencoder/model
"""

import sys

import torch

from monostep.checkpoints import embedded, folder
from monostep.data.procedural import render
from monostep.data.splits import SEEDS
from monostep.geometry import decode
from monostep.losses.normals import angle
from monostep.recipes import recipe
from monostep.training.autoencoder import pictures

SCENES, SIZE = 96, (96, 128)

autoencoder = folder.load_autoencoder(embedded.locate(sys.argv[1]))
samples = render(SEEDS["validation"], range(SCENES), SIZE)
originals = dict(
    zip(("image", "depth", "normals"), pictures(samples, recipe("nano-autoencoder")), strict=True)
)
with torch.inference_mode():
    decoded = {name: autoencoder.decode(autoencoder.encode(x)) for name, x in originals.items()}
for name, original in originals.items():
    error = ((decoded[name] - original) / 2).square().mean(dim=(1, 2, 3))
    print(f"{name:8} PSNR {(-10 * error.log10()).mean():.1f} dB")  # noqa: T201
range_error = (decode.depth(decoded["depth"]) - originals["depth"][:, 0]).abs().mean() / 2
degrees = torch.rad2deg(angle(decode.normals(decoded["normals"]), originals["normals"]))
print(f"depth    mean error {100 * range_error:.2f} % of the range")  # noqa: T201
print(f"normals  mean angle {degrees[samples.valid].mean():.2f} degrees")  # noqa: T201
