"""Another program's predictions, to be scored: `python fastdepth.py MANIFEST MODEL.tflite DIR`.

Runs the 8-bit FastDepth network (Wofk et al., ICRA 2019) on the images of a manifest and writes
depth in metres at the image's own size: of sub/a.jpg into DIR/sub/a.jpg.npy. Needs the package
ai-edge-litert. Then

    monostep evaluate MANIFEST --predictions DIR -o OUT
"""

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from monostep.data import manifest
from monostep.data.manifest_paths import to_text
from monostep.files import photo
from monostep.files.decoded import full_scale

path = Path(sys.argv[1])
rows = manifest.read(path).rows
network, target = Interpreter(sys.argv[2]), Path(sys.argv[3])
network.allocate_tensors()
(taken,), (given,) = network.get_input_details(), network.get_output_details()
_, height, width, _ = taken["shape"]
scale_m, zero = given["quantization"]
for row in rows:
    pixels = photo.read(row.image).pixels  # of 8 or 16 bits, or floats
    codes = np.rint(pixels * (255 / full_scale(pixels))).astype(np.uint8)
    picture = Image.fromarray(codes)
    small = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
    network.set_tensor(taken["index"], small[None])
    network.invoke()
    depth_m = (network.get_tensor(given["index"])[0, ..., 0] - np.float32(zero)) * scale_m
    whole = Image.fromarray(depth_m.astype(np.float32)).resize(
        picture.size, Image.Resampling.BILINEAR
    )
    name = Path(to_text(row.image, folder=path if path.is_dir() else path.parent))
    file = target.joinpath(*(part for part in name.parts if part not in ("..", name.anchor)))
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file.with_name(f"{file.name}.npy"), np.asarray(whole))
