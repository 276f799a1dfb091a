"""The feed-forward form: a checkpoint with all that is constant folded into its weights."""
