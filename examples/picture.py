"""Makes the README's picture: photo | depth | normals, by the embedded models."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

import monostep
from monostep.files.preview import side_by_side, write_png8

HEIGHT = 240
target = Path(sys.argv[1])
depth, normals = monostep.load("nano-depth"), monostep.load("nano-normals")
rows = []
for photo in (data.coffee(), data.stereo_motorcycle()[0]):
    small = np.asarray(Image.fromarray(photo).resize((HEIGHT * 3 // 2, HEIGHT)))
    rows.append(side_by_side(small, depth(small).preview(), normals(small).preview()))
write_png8(target, np.concatenate(rows))
