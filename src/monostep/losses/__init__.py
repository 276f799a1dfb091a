"""Pure functions of (prediction, truth, weight), one value per image."""
