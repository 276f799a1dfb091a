"""Splits: the names that rows may have, and the seeds of the procedural scenes of each.

What is trained on is never what is measured on.
"""

SEEDS = {"train": 1, "validation": 2, "test": 3}
NAMES = ("train", "validation", "val", "test")  # val: what Hypersim and others call it
