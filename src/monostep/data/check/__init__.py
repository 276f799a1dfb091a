"""Own data looked at before it is trained on: what is wrong, in which images, by which numbers."""
