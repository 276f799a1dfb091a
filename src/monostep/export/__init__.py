"""A model as one file for other runtimes, image in and map out, always compared with ours."""
