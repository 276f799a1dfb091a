"""Config, step, loop, optimiser and resumable state."""
