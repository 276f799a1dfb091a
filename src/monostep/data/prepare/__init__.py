"""Official data sets to ordinary manifests: what `monostep data prepare` does."""
