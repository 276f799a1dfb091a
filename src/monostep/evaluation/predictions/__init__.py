"""What any program predicted, found and read by its files' names."""
