"""Looking inside: what a checkpoint would do and why, and proof that it does it."""
