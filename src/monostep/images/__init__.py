"""Pixels to what a network accepts, and back onto the input's own grid."""
