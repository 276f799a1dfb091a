"""What is judged: images with their truth, of official data sets, manifests and rendered scenes."""
