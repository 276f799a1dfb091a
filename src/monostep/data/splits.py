"""Seeds of the procedural scenes: what is trained on is never what is measured on."""

SEEDS = {"train": 1, "validation": 2, "test": 3}
