"""Pictures of the best, the median and the worst."""
