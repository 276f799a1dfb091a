"""Pure functions of (prediction, truth, valid), one value per image."""
