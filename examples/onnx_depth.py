"""Depth of a photo without torch: `python onnx_depth.py nano.onnx photo.jpg depth.png`.

Needs numpy, pillow and onnxruntime, and a file from `monostep export nano-depth -o nano.onnx`.
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

model, photo, target = sys.argv[1:]
upright = ImageOps.exif_transpose(Image.open(photo)).convert("RGB")
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
(depth,) = session.run(["depth"], {"image": np.asarray(upright)[None]})
Image.fromarray((depth[0] * 65535).round().astype(np.uint16)).save(target)  # near is 0
