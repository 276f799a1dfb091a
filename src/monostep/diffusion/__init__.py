"""Schedules: how much signal a latent keeps at a timestep."""
