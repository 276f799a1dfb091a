"""Model folders and files, in and out."""
