"""Prints the paths of photographs that ship inside the scikit-image and scikit-learn packages."""

from importlib.util import find_spec
from pathlib import Path

PHOTOS = {
    "skimage/data": ["motorcycle_left.png", "coffee.png"],  # a garage, a table
    "sklearn/datasets/images": ["china.jpg"],  # a street
}

for folder, names in PHOTOS.items():
    package, _, inside = folder.partition("/")
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed: pip install scikit-image scikit-learn")
    for name in names:
        print(Path(spec.origin).parent / inside / name)  # noqa: T201
