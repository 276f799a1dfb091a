"""Images with exact depth and surface normals, to train and to measure models with."""
