"""Bytes to values and back: photographs in; depth maps, normal maps, previews and JSON out."""
