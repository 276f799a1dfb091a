"""The predictor applied to many files."""
